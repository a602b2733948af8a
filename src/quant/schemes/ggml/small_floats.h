// The formats whose elements are 4-bit floats (E2M1) with scales that are small floats, too.
#pragma once

#include <bit>

#include "quant/schemes/ggml/block.h"

namespace lbrx::ggml {

// Twice the value of an E2M1 code: 0, 1, 2, 3, 4, 6, 8, 12 and their negatives. (Code 8, "minus
// zero", is +0 here.)
// Without conditions, so that it becomes vectors.
HWY_INLINE float TwiceE2M1(int32_t code) {
  const int32_t magnitude = code & 7;
  const int32_t upper = magnitude >> 2;                    // 4, 5, 6 and 7
  const int32_t top = upper & magnitude >> 1 & magnitude;  // 7
  const int32_t twice = magnitude + upper * (magnitude - 4) + 2 * top;
  return static_cast<float>(twice * (1 - (code >> 2 & 2)));
}

struct BlockMxfp4 {
  static constexpr Scheme kScheme = Scheme::kBlockMxfp4;
  static constexpr size_t kElements = 32;

  struct Block {
    uint8_t exponent;   // E8M0
    uint8_t codes[16];  // of element i low, of i + 16 high
  };

  // Half of the scale, exactly: below 2^-126 it is subnormal.
  static HWY_INLINE float HalfScale(uint8_t exponent) {
    const uint32_t bits =
        exponent < 2 ? uint32_t{0x00200000} << exponent : uint32_t{exponent - 1U} << 23;
    return std::bit_cast<float>(bits);
  }

  static HWY_INLINE void Decode(const Block& block, float* values) {
    const float half = HalfScale(block.exponent);
    for (size_t i = 0; i < 16; ++i) {
      values[i] = TwiceE2M1(block.codes[i] & 15) * half;
      values[i + 16] = TwiceE2M1(block.codes[i] >> 4) * half;
    }
  }
};

struct BlockNvfp4 {
  static constexpr Scheme kScheme = Scheme::kBlockNvfp4;
  static constexpr size_t kElements = 64;

  struct Block {
    uint8_t scales[4];  // of 16 elements each: E4M3, without its sign
    uint8_t codes[32];  // of each 16: of element i low, of i + 8 high
  };

  // Half of the scale. The sign is ignored; NaN without one counts as 0, with one as 480.
  static HWY_INLINE float HalfScale(uint8_t scale) {
    const float finite = std::bit_cast<float>((scale & 0x7FU) << 20) * 0x1p119F;
    return scale == 0x7F ? 0.0F : finite;
  }

  static HWY_INLINE void Decode(const Block& block, float* values) {
    for (size_t s = 0; s < 4; ++s) {
      const float half = HalfScale(block.scales[s]);
      const uint8_t* codes = block.codes + 8 * s;
      for (size_t i = 0; i < 8; ++i) {
        values[16 * s + i] = TwiceE2M1(codes[i] & 15) * half;
        values[16 * s + i + 8] = TwiceE2M1(codes[i] >> 4) * half;
      }
    }
  }
};

}  // namespace lbrx::ggml
