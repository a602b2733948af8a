// MLX folders: a Hugging Face folder whose quantized matrices are three arrays (weight, scales,
// biases) or two (weight, scales), described by `quantization` in config.json.
#pragma once

#include <string>
#include <vector>

#include "formats/checkpoint.h"
#include "formats/writer.h"

namespace lbrx {

// Whether a config and a set of array names are those of an MLX checkpoint; the reason if so.
std::string MlxReason(const Json& config, const Checkpoint& checkpoint);

// Groups arrays into encoded tensors by the `quantization` block of `config`: global group_size,
// bits, mode; per-module entries (missing mode = affine, missing or null group_size = 64, missing
// bits = 4); `true` = the global ones, `false` = not quantized. Without an entry a module is
// quantized iff its scales are there. Shapes of planes are checked against each other: kInvalid.
void GroupMlxTensors(Checkpoint& checkpoint, const Json& config, bool collect_problems);

// The `quantization` block for output tensors: the global entry is `global`; tensors whose encoding
// differs from it get an entry of their own (always with group_size, bits and mode).
Json MlxQuantizationBlock(const std::vector<OutputTensor>& tensors, const Encoding& global);

}  // namespace lbrx
