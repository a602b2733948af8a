// Schemes whose codes lie in the order of the values: fp8, int8, packed integers, two-level nvfp4.
#pragma once

#include "quant/packed/packed.h"

namespace lbrx {

std::unique_ptr<const TileDecoder> MakeRowDecoder(PackedMatrix matrix);

}  // namespace lbrx
