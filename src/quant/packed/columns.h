// GPTQ and AWQ: the matrix is stored [in, out], codes packed along `in` (GPTQ) or `out` (AWQ).
#pragma once

#include "quant/packed/packed.h"

namespace lbrx {

std::unique_ptr<const TileDecoder> MakeColumnDecoder(PackedMatrix matrix);

}  // namespace lbrx
