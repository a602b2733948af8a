// Decoding to a dtype that a kernel has no version for.
#pragma once

#include "quant/codec.h"

namespace lbrx {

// Runs `decode` to F32 in pieces and converts them to job.dtype.
void DecodeThroughFloats(const DecodeJob& job, void (*decode)(const DecodeJob&));

}  // namespace lbrx
