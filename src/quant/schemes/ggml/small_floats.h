// The formats whose elements are 4-bit floats (E2M1) with scales that are small floats, too.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>

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

// The nearest of the 16 values by distance as f32 computes it; of equals the first, so that ties go
// toward zero and nothing becomes code 8.
inline uint8_t NearestE2M1(float x, float half_scale) {
  uint8_t best = 0;
  float least = std::fabs(0 * half_scale - x);
  for (uint8_t code = 1; code < 16; ++code) {
    const float distance = std::fabs(TwiceE2M1(code) * half_scale - x);
    if (distance < least) {
      least = distance;
      best = code;
    }
  }
  return best;
}

// `n` codes, of element i low, of i + n / 2 high.
inline void EncodeE2M1(const float* x, size_t n, float half_scale, uint8_t* codes) {
  for (size_t i = 0; i < n / 2; ++i) {
    codes[i] = static_cast<uint8_t>(NearestE2M1(x[i], half_scale) |
                                    NearestE2M1(x[i + n / 2], half_scale) << 4);
  }
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

  // Of the power of two at or below `most`, less two: 4 to 8 scales then reach it. Below 2^-125 the
  // byte wraps.
  static HWY_INLINE uint8_t Exponent(float most) {
    if (!(most > 0)) {
      return 0;
    }
    return static_cast<uint8_t>(static_cast<int32_t>(std::floor(std::log2(most))) - 2 + 127);
  }

  static void Encode(const float* x, const Importance&, Block& block) {
    block.exponent = Exponent(Magnitude(x, kElements));
    EncodeE2M1(x, kElements, HalfScale(block.exponent), block.codes);
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

  // The nearest scale, half up by the fourth bit of the mantissa; from 256 on 448.
  static HWY_INLINE uint8_t Scale(float value) {
    if (!(value > 0)) {
      return 0;
    }
    if (value < 0x1p-6F) {
      const float steps = value * 512 + 0.5F;
      return static_cast<uint8_t>(std::min(7, static_cast<int32_t>(steps)));
    }
    const uint32_t code = (((std::bit_cast<uint32_t>(value) >> 19) + 1) >> 1) - (120U << 3);
    return code >= 15 << 3 ? 0x7E : static_cast<uint8_t>(code);
  }

  static void Encode(const float* x, const Importance&, Block& block) {
    for (size_t s = 0; s < 4; ++s) {
      block.scales[s] = Scale(Magnitude(x + 16 * s, 16) / 6);
      EncodeE2M1(x + 16 * s, 16, HalfScale(block.scales[s]), block.codes + 8 * s);
    }
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

template <>
void EncodeBlocks<BlockMxfp4>(const EncodeJob& job);
template <>
void EncodeBlocks<BlockNvfp4>(const EncodeJob& job);

}  // namespace lbrx::ggml
