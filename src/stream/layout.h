// The same model in Hugging Face's and in MLX's layout: names, stacks of experts, transpositions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/architecture.h"
#include "stream/value.h"

namespace lbrx {

// A tensor under the name and in the shape that some layout gives it.
struct NamedValue {
  std::string name;
  ValuePtr value;
  const SourceTensor* stored = nullptr;  // the source tensor that this is, where nothing was moved
  std::string label;                     // scheme of the (first) source tensor, for people
  bool encoded = false;                  // whether a source tensor was quantized
};

// All tensors of source `source`, as they are.
std::vector<NamedValue> AsStored(const SourceFiles::Checkpoints& sources, uint32_t source);

// Hugging Face's layout from MLX's, and the reverse; unknown tensors stay as they are. Throws
// kInvalid where experts are missing or shapes do not fit the configuration. Sorted by NaturalLess.
std::vector<NamedValue> ToHuggingFaceLayout(const Architecture& architecture, const Json& config,
                                            std::vector<NamedValue> mlx);
std::vector<NamedValue> ToMlxLayout(const Architecture& architecture, const Json& config,
                                    std::vector<NamedValue> hugging_face);

}  // namespace lbrx
