// Changes of a GGUF file's keys as a plan: the tensors are copied as they are.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/checkpoint.h"
#include "formats/gguf/keys.h"
#include "stream/plan.h"

namespace lbrx {

struct GgufEdit {
  std::string key;
  std::optional<GgufValue> value;  // nullopt: the key is removed
};

// "KEY=TYPE:VALUE", as in "llama.context_length=u32:8192". TYPE is a name that GgufTypeByName
// knows, or of an array "TYPE[]", whose elements are separated by commas; in texts a comma is
// written "\," and a backslash "\\". kUsage, saying what was expected.
GgufEdit ParseGgufEdit(const std::string& text);

struct EditRequest {
  std::string source;
  std::string destination;
  std::vector<GgufEdit> edits;         // one after another
  std::optional<uint64_t> shard_size;  // bytes of tensors a part; one file unless given

  Json ToJson() const;
};

// A file, or where `shard_size` makes several a folder of parts called by the destination's name.
// general.alignment decides anew where the tensors lie. kUsage for a source that is no GGUF file,
// for the keys that number the parts, and for an alignment that cannot be. Notices tell of keys to
// be removed that are not there, and of changed types.
Plan PlanEdit(const EditRequest& request, std::shared_ptr<const Checkpoint> source);

}  // namespace lbrx
