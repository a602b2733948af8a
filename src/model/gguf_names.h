// Names of tensors in GGUF files, by role: llama.cpp calls what does the same alike in every
// architecture. Source: its tensor name table (gguf-py/gguf/constants.py).
#pragma once

#include <string_view>

#include "model/architecture.h"

namespace lbrx {

// "blk.{L}.attn_q"; empty where GGUF has no place for it. `second`: of the two modules that MLX
// makes of one.
std::string_view GgufModule(const TensorRule& rule, bool second);

// The leaf that the rule's tensors have in GGUF; empty: the one that they have in MLX.
std::string_view GgufLeaf(const TensorRule& rule);

// Whether llama.cpp's converter stores a tensor as F32 whatever the dtype of matrices is: vectors,
// norms, routers, positions, and what is not called "weight" (docs/formats/gguf.md).
bool IsFloat32InGguf(std::string_view name, size_t rank);

// Tensors of rotary factors, which other containers say in the configuration.
inline constexpr std::string_view kRopeFrequenciesName = "rope_freqs.weight";
inline constexpr std::string_view kLongFactorsName = "rope_factors_long.weight";
inline constexpr std::string_view kShortFactorsName = "rope_factors_short.weight";
bool IsRotaryTensor(std::string_view name);

}  // namespace lbrx
