// The points of a grid for decoders.
#pragma once

#include <cstdint>

#include "quant/schemes/ggml/iq_grids.h"

namespace lbrx {

// All points, each as IqDigits(grid) bytes: the magnitudes of its digits (for kTernary2048 the
// digits). Built at first use; lives as long as the program.
const uint8_t* IqPointBytes(IqGrid grid);

}  // namespace lbrx
