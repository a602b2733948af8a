// GGML's IQ types: codebooks of vectors (IQ2, IQ3), of ternary vectors (IQ1) and of unequal steps
// (IQ4). Encoders give the bytes of ggml built without FMA for x86-64.
#pragma once

#include <span>

#include "quant/codec.h"

namespace lbrx {

std::span<const Codec> IqCodecs();

// Whether blocks of `scheme` cannot be encoded without importance weights, as in GGML: the search
// would mean nothing.
bool NeedsImportance(Scheme scheme);
// Throws kUsage where they are needed and missing; encoders call it.
void RequireImportance(const EncodeJob& job);

}  // namespace lbrx
