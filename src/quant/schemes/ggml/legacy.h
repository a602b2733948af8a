// The formats with blocks of 32 elements: a scale d, with _1 also a minimum m.
#pragma once

#include <algorithm>

#include "quant/schemes/ggml/block.h"

namespace lbrx::ggml {

// `codes` are a block's 32.
HWY_INLINE void PackNibbles(const uint8_t* codes, uint8_t* out) {
  for (size_t i = 0; i < 16; ++i) {
    out[i] = static_cast<uint8_t>((codes[i] & 15) | codes[i + 16] << 4);
  }
}

HWY_INLINE uint32_t FifthBits(const uint8_t* codes) {
  uint32_t bits = 0;
  for (size_t i = 0; i < 32; ++i) {
    bits |= (codes[i] >> 4 & 1U) << i;
  }
  return bits;
}

// Codes around `top`, of which there are twice as many; returns d.
inline float EncodeSymmetric32(const float* x, const Importance& importance, int top,
                               uint8_t* codes) {
  if (importance.columns != nullptr) {
    float weights[32];
    int8_t found[32];
    ImportanceWeights(x, importance.columns, importance.row_square, 32, weights);
    const float d = SearchSymmetric(32, top, x, weights, found);
    std::copy_n(found, 32, codes);
    return d;
  }
  const float d = SignedMaximum(x, 32) / static_cast<float>(-top);
  const float inverse = InverseOrZero(d);
  for (size_t i = 0; i < 32; ++i) {
    const auto code =
        static_cast<int8_t>(Truncate(x[i] * inverse + (static_cast<float>(top) + 0.5F)));
    codes[i] = static_cast<uint8_t>(std::min<int>(2 * top - 1, code));
  }
  return d;
}

// Codes from 0 to `top` between the least and the greatest value.
inline Affine EncodeAffine32(const float* x, const Importance& importance, int top,
                             uint8_t* codes) {
  if (importance.columns != nullptr) {
    float weights[32];
    ImportanceWeights(x, importance.columns, importance.row_square, 32, weights);
    return SearchAffine(32, top, x, weights, kImportanceTrials, codes);
  }
  const float low = *std::min_element(x, x + 32);
  const float d = (*std::max_element(x, x + 32) - low) / static_cast<float>(top);
  const float inverse = InverseOrZero(d);
  for (size_t i = 0; i < 32; ++i) {
    codes[i] = static_cast<uint8_t>(std::min(
        top, static_cast<int>(static_cast<int8_t>(Truncate((x[i] - low) * inverse + 0.5F)))));
  }
  return {d, -low};
}

template <typename Format>
void EncodeLegacy(const float* x, const Importance& importance, typename Format::Block& block) {
  uint8_t codes[32];
  if constexpr (Format::kHasMinimum) {
    const Affine fit = EncodeAffine32(x, importance, Format::kTop, codes);
    block.d.Set(fit.scale);
    block.m.Set(-fit.minimum);
  } else {
    block.d.Set(EncodeSymmetric32(x, importance, Format::kTop, codes));
  }
  if constexpr (Format::kHasFifthBit) {
    block.high.Set(FifthBits(codes));
  }
  PackNibbles(codes, block.codes);
}

struct Q40 {
  static constexpr Scheme kScheme = Scheme::kQ40;
  static constexpr size_t kElements = 32;
  static constexpr int kTop = 8;
  static constexpr bool kHasMinimum = false;
  static constexpr bool kHasFifthBit = false;

  struct Block {
    Half d;
    uint8_t codes[16];  // of element i low, of i + 16 high
  };

  static void Encode(const float* x, const Importance& importance, Block& block) {
    EncodeLegacy<Q40>(x, importance, block);
  }

  static HWY_INLINE void Decode(const Block& block, float* values) {
    const float d = block.d.Get();
    for (size_t i = 0; i < 16; ++i) {
      values[i] = static_cast<float>((block.codes[i] & 15) - 8) * d;
      values[i + 16] = static_cast<float>((block.codes[i] >> 4) - 8) * d;
    }
  }
};

struct Q41 {
  static constexpr Scheme kScheme = Scheme::kQ41;
  static constexpr size_t kElements = 32;
  static constexpr int kTop = 15;
  static constexpr bool kHasMinimum = true;
  static constexpr bool kHasFifthBit = false;

  struct Block {
    Half d;
    Half m;
    uint8_t codes[16];  // as in Q40
  };

  static void Encode(const float* x, const Importance& importance, Block& block) {
    EncodeLegacy<Q41>(x, importance, block);
  }

  static HWY_INLINE void Decode(const Block& block, float* values) {
    const float d = block.d.Get();
    const float m = block.m.Get();
    for (size_t i = 0; i < 16; ++i) {
      values[i] = static_cast<float>(block.codes[i] & 15) * d + m;
      values[i + 16] = static_cast<float>(block.codes[i] >> 4) * d + m;
    }
  }
};

struct Q50 {
  static constexpr Scheme kScheme = Scheme::kQ50;
  static constexpr size_t kElements = 32;
  static constexpr int kTop = 16;
  static constexpr bool kHasMinimum = false;
  static constexpr bool kHasFifthBit = true;

  struct Block {
    Half d;
    Word high;          // bit i: the top bit of element i
    uint8_t codes[16];  // as in Q40
  };

  static void Encode(const float* x, const Importance& importance, Block& block) {
    EncodeLegacy<Q50>(x, importance, block);
  }

  static HWY_INLINE void Decode(const Block& block, float* values) {
    const float d = block.d.Get();
    const uint32_t high = block.high.Get();
    for (uint32_t i = 0; i < 16; ++i) {
      const uint32_t low = block.codes[i];
      const auto first = static_cast<int32_t>((low & 15) | (high >> i & 1) << 4);
      const auto second = static_cast<int32_t>(low >> 4 | (high >> (i + 16) & 1) << 4);
      values[i] = static_cast<float>(first - 16) * d;
      values[i + 16] = static_cast<float>(second - 16) * d;
    }
  }
};

struct Q51 {
  static constexpr Scheme kScheme = Scheme::kQ51;
  static constexpr size_t kElements = 32;
  static constexpr int kTop = 31;
  static constexpr bool kHasMinimum = true;
  static constexpr bool kHasFifthBit = true;

  struct Block {
    Half d;
    Half m;
    Word high;          // as in Q50
    uint8_t codes[16];  // as in Q40
  };

  static void Encode(const float* x, const Importance& importance, Block& block) {
    EncodeLegacy<Q51>(x, importance, block);
  }

  static HWY_INLINE void Decode(const Block& block, float* values) {
    const float d = block.d.Get();
    const float m = block.m.Get();
    const uint32_t high = block.high.Get();
    for (uint32_t i = 0; i < 16; ++i) {
      const uint32_t low = block.codes[i];
      const auto first = static_cast<int32_t>((low & 15) | (high >> i & 1) << 4);
      const auto second = static_cast<int32_t>(low >> 4 | (high >> (i + 16) & 1) << 4);
      values[i] = static_cast<float>(first) * d + m;
      values[i + 16] = static_cast<float>(second) * d + m;
    }
  }
};

struct Q80 {
  static constexpr Scheme kScheme = Scheme::kQ80;
  static constexpr size_t kElements = 32;

  struct Block {
    Half d;
    int8_t codes[32];
  };

  static void Encode(const float* x, const Importance&, Block& block) {
    const float d = Magnitude(x, 32) / 127;
    const float inverse = InverseOrZero(d);
    block.d.Set(d);
    for (size_t i = 0; i < 32; ++i) {
      block.codes[i] = static_cast<int8_t>(NearestAway(x[i] * inverse));
    }
  }

  static HWY_INLINE void Decode(const Block& block, float* values) {
    const float d = block.d.Get();
    for (size_t i = 0; i < 32; ++i) {
      values[i] = static_cast<float>(block.codes[i]) * d;
    }
  }
};

// Activations: read only.
struct Q81 {
  static constexpr Scheme kScheme = Scheme::kQ81;
  static constexpr size_t kElements = 32;

  struct Block {
    Half d;
    Half sum;  // of the codes, times d
    int8_t codes[32];
  };

  static HWY_INLINE void Decode(const Block& block, float* values) {
    const float d = block.d.Get();
    for (size_t i = 0; i < 32; ++i) {
      values[i] = static_cast<float>(block.codes[i]) * d;
    }
  }
};

}  // namespace lbrx::ggml
