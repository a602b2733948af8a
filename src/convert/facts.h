// What a source is, as far as planning a conversion must know, and whether it holds together.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "formats/checkpoint.h"
#include "formats/writer.h"
#include "model/naming.h"

namespace lbrx {

struct SourceFacts {
  Naming naming;  // its architecture is nullptr where it is not known
  bool has_config = false;
  bool tied = false;               // the output matrix is the embedding
  uint64_t layers = 0;             // by the configuration; 0: not said
  uint64_t prediction_layers = 0;  // layers beyond those
};

// Refuses --text-only (kUsage) where the text model is not known; a notice where there is no other.
void CheckTextOnly(const SourceFacts& facts, std::vector<std::string>& notices);

// Throws kInvalid for a missing configuration, one that contradicts the tensors, a missing output
// matrix, a quantization that cannot be read, and with `strict` for an unknown architecture. What
// the user should know goes to `notices`.
SourceFacts CheckSource(const Checkpoint& source, TargetKind target, bool strict,
                        std::vector<std::string>& notices);

}  // namespace lbrx
