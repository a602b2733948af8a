// What a source is, as far as planning a conversion must know, and whether it holds together.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "formats/checkpoint.h"
#include "formats/writer.h"
#include "model/architecture.h"

namespace lbrx {

struct SourceFacts {
  const Architecture* architecture = nullptr;  // nullptr: not known
  bool mlx_layout = false;                     // names and shapes are MLX's
  bool has_config = false;
  bool tied = false;               // the output matrix is the embedding
  uint64_t layers = 0;             // by the configuration; 0: not said
  uint64_t prediction_layers = 0;  // layers beyond those
};

// Throws kInvalid for a missing configuration, one that contradicts the tensors, a missing output
// matrix, a quantization that cannot be read, and with `strict` for an unknown architecture. What
// the user should know goes to `notices`.
SourceFacts CheckSource(const Checkpoint& source, TargetKind target, bool strict,
                        std::vector<std::string>& notices);

// What `name` means in the source's layout.
TensorMeaning MeaningInSource(const SourceFacts& facts, std::string_view name);

}  // namespace lbrx
