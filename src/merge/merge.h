// A merge as the source of a conversion: whatever can be written from a stored model can be written
// from a merged one, in the same pass.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "convert/model_source.h"
#include "core/text/json.h"
#include "formats/checkpoint.h"

namespace lbrx {

// What the user asked for beyond what a conversion knows. Everything that decides bytes is here.
struct MergeRequest {
  std::string config_file;  // for messages
  std::string config_text;  // mergekit's YAML
  uint64_t seed = 0;        // --random-seed
  bool compat = false;      // --compat mergekit
  bool mixed = false;       // --allow-crimes: models of different architectures
  bool copy_tokenizer = true;
  bool card = true;  // README.md
  bool strict = false;
  std::optional<DType> dtype;  // --dtype: in place of the configuration's out_dtype

  Json ToJson() const;
  static MergeRequest FromJson(const Json& json);  // kInvalid
};

// What one tensor of the output is made of, for reports.
struct MergeParts {
  std::string name;
  std::vector<std::string> labels;  // of the members
  std::vector<ValuePtr> members;
  ValuePtr base;  // null where the method has none, or the tensor none
  ValuePtr merged;
};

struct Merge {
  ModelSource source;
  std::vector<std::string> notices;
  std::vector<std::string> paths;  // of all models and adapters, as opened
  std::vector<MergeParts> parts;   // of the tensors that the method was applied to
};

// Reads the configuration, opens the models and says how each tensor is made. No tensor data is
// read, but for norms of GGUF files, whose type depends on them. Throws kInvalid for a
// configuration or models that cannot be merged.
Merge PlanMerge(const MergeRequest& request, const OpenOptions& options);

}  // namespace lbrx
