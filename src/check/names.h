// One name for a tensor, whatever the container calls it.
#pragma once

#include <string>
#include <string_view>

#include "model/architecture.h"

namespace lbrx {

// Hugging Face's name of the tensor stored as `name`; `name` itself where the architecture is
// unknown (nullptr) or does not know it.
std::string CanonicalName(const Architecture* architecture, std::string_view name);

// `rule`'s pattern with the layer's number in it: "model.layers.3.mlp.up_proj".
std::string ModuleName(const TensorRule& rule, uint64_t layer);

// Whether `rule` stands for a tensor in every layer.
bool IsPerLayer(const TensorRule& rule);

}  // namespace lbrx
