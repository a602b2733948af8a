// IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS and IQ3_S: magnitudes of eight or four elements as one point of a
// grid, signs apart.
#pragma once

#include "quant/codec.h"

namespace lbrx {

void DecodeIqCodebookReference(const DecodeJob& job);

}  // namespace lbrx
