// GGUF's block types, all but the IQ ones.
#pragma once

#include <span>

#include "quant/codec.h"

namespace lbrx {

// Those of activations (Q8_1, Q8_K) cannot be encoded: nullptr.
std::span<const Codec> GgmlBlockCodecs();

}  // namespace lbrx
