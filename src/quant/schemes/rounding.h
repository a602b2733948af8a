// Arithmetic that MLX's backends do in the values' dtype.
#pragma once

#include <cmath>
#include <limits>

#include "core/tensor/convert.h"

namespace lbrx {

// `value` rounded to BF16 or F16; unchanged for F32.
inline float RoundToDType(DType dtype, float value) {
  switch (dtype) {
    case DType::kBF16:
      return BF16ToFloat(FloatToBF16(value));
    case DType::kF16:
      return F16ToFloat(FloatToF16(value));
    default:
      return value;
  }
}

// Apple GPUs read f32 subnormals as zero (of the same sign).
inline float FlushSubnormal(float value) {
  return std::fabs(value) < std::numeric_limits<float>::min() ? std::copysign(0.0F, value) : value;
}

}  // namespace lbrx
