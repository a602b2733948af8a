// bitsandbytes' 4-bit schemes: the tensor is one run of elements, blocks may cross rows.
#pragma once

#include "quant/packed/packed.h"

namespace lbrx {

std::unique_ptr<const TileDecoder> MakeRunDecoder(PackedMatrix matrix);

}  // namespace lbrx
