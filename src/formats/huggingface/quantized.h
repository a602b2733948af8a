// Hugging Face folders whose weights another library quantized (`quantization_config`): their
// arrays grouped into tensors. docs/formats/prequantized.md says what is read and by which rules.
#pragma once

#include "formats/checkpoint.h"

namespace lbrx {

// Groups the arrays of `checkpoint` (files, arrays and config are set) by the method that its
// config, or the quantize_config.json of old GPTQ models, names; what is left over becomes plain
// tensors. False where no method is named: nothing was done. kInvalid: an unknown method, a plane
// that is missing or of a wrong shape or dtype, an array left without its tensor.
bool GroupQuantizedTensors(Checkpoint& checkpoint, const OpenOptions& options);

}  // namespace lbrx
