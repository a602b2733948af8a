// The K formats without minima: super-blocks of 256 elements, whose 16 sub-blocks have a signed
// integer scale, in steps of d: x = d * scale * code.
#pragma once

#include <algorithm>
#include <cmath>

#include "quant/schemes/ggml/block.h"

namespace lbrx::ggml {

// What is found for the 16 sub-blocks of a super-block.
struct FoundSymmetric {
  float scales[16];
  float weights[16];  // the sums of their elements' weights, where columns have an importance
  int8_t codes[256];
};

// Codes anew for scales as stored. Where a scale is 0 they stay.
template <typename Format>
HWY_INLINE void CodeAgainSymmetric(const float* x, const typename Format::Block& block,
                                   int8_t* codes) {
  const float d = block.d.Get();
  for (size_t s = 0; s < 16; ++s) {
    const float scale = d * static_cast<float>(Format::Scale(block, s));
    if (scale == 0) {
      continue;
    }
    for (size_t i = 16 * s; i < 16 * (s + 1); ++i) {
      codes[i] = static_cast<int8_t>(NearestWithin(x[i] / scale, -Format::kTop, Format::kTop - 1) +
                                     Format::kTop);
    }
  }
}

struct Q3K {
  static constexpr Scheme kScheme = Scheme::kQ3K;
  static constexpr size_t kElements = 256;
  static constexpr int kTop = 4;

  struct Block {
    uint8_t high[32];    // byte i, bit 4 h + j: the top bit of element 128 h + 32 j + i
    uint8_t codes[64];   // as in Q2K
    uint8_t scales[12];  // of sub-block s: nibble s / 8 of byte s % 8; two bits s / 4 of 8 + s % 4
    Half d;
  };

  static HWY_INLINE int Scale(const Block& block, size_t s) {
    const int low = block.scales[s % 8] >> 4 * (s / 8) & 15;
    const int top = block.scales[8 + s % 4] >> 2 * (s / 4) & 3;
    return (low | top << 4) - 32;
  }

  static HWY_INLINE void SetScale(Block& block, size_t s, int code) {
    uint8_t& low = block.scales[s % 8];
    uint8_t& top = block.scales[8 + s % 4];
    low = static_cast<uint8_t>(low | (code & 15) << 4 * (s / 8));
    top = static_cast<uint8_t>(top | code >> 4 << 2 * (s / 4));
  }

  static void Search(const float* x, const float* importance, FoundSymmetric& found) {
    const float spread = importance == nullptr ? 0 : 2 * SumOfSquares(x, 256) / 256;
    for (size_t s = 0; s < 16; ++s) {
      const float* values = x + 16 * s;
      int8_t* codes = found.codes + 16 * s;
      if (importance == nullptr) {
        found.scales[s] = DescendSymmetric(16, kTop, values, codes);
        continue;
      }
      float weights[16];
      ImportanceWeights(values, importance + 16 * s, spread, 16, weights);
      found.weights[s] = 0;
      for (const float weight : weights) {
        found.weights[s] += weight;
      }
      found.scales[s] = SearchSymmetric(16, kTop, values, weights, codes);
    }
  }

  // d and the scales' integers from the scales that were found, for a block of zeros. `weights` are
  // those of the sub-blocks, where columns have an importance, else nullptr.
  static void CodeScales(const float* scales, const float* weights, Block& block) {
    if (weights != nullptr) {
      int8_t codes[16];
      block.d.Set(SearchSymmetric(16, 32, scales, weights, codes));
      for (size_t s = 0; s < 16; ++s) {
        SetScale(block, s, codes[s]);
      }
    } else if (const float most = SignedMaximum(scales, 16); most != 0) {
      const float inverse = -32 / most;
      block.d.Set(1 / inverse);
      for (size_t s = 0; s < 16; ++s) {
        const auto code = static_cast<int8_t>(Nearest(inverse * scales[s]));
        SetScale(block, s, std::clamp<int>(code, -32, 31) + 32);
      }
    }
  }

  static HWY_INLINE void Pack(const int8_t* codes, Block& block) {
    for (size_t i = 0; i < 32; ++i) {
      uint32_t bits = 0;
      for (size_t q = 0; q < 8; ++q) {
        bits |= (codes[32 * q + i] >> 2 & 1U) << q;
      }
      block.high[i] = static_cast<uint8_t>(bits);
    }
    for (size_t i = 0; i < 64; ++i) {
      const int8_t* first = codes + 128 * (i / 32) + i % 32;
      block.codes[i] = static_cast<uint8_t>((first[0] & 3) | (first[32] & 3) << 2 |
                                            (first[64] & 3) << 4 | (first[96] & 3) << 6);
    }
  }

  static void Encode(const float* x, const Importance& importance, Block& block) {
    FoundSymmetric found;
    Search(x, importance.columns, found);
    CodeScales(found.scales, importance.columns == nullptr ? nullptr : found.weights, block);
    CodeAgainSymmetric<Q3K>(x, block, found.codes);
    Pack(found.codes, block);
  }

  static HWY_INLINE void Decode(const Block& block, float* values) {
    const float d = block.d.Get();
    for (size_t s = 0; s < 16; ++s) {
      const float scale = d * static_cast<float>(Scale(block, s));
      const uint8_t* codes = block.codes + 32 * (s / 8) + 16 * (s % 2);
      const uint8_t* high = block.high + 16 * (s % 2);
      const uint32_t shift = 2 * (s / 2 % 4);
      const uint32_t high_shift = s / 2;
      for (size_t i = 0; i < 16; ++i) {
        const int code = (codes[i] >> shift & 3) + (high[i] >> high_shift & 1) * 4;
        values[16 * s + i] = scale * static_cast<float>(code - 4);
      }
    }
  }
};

struct Q6K {
  static constexpr Scheme kScheme = Scheme::kQ6K;
  static constexpr size_t kElements = 256;
  static constexpr int kTop = 32;

  struct Block {
    // Half h, quarter q, element i < 32 of it: byte 64 h + 32 (q % 2) + i of `low`, its nibble q /
    // 2; byte 32 h + i of `high`, bits 2 q.
    uint8_t low[128];
    uint8_t high[64];
    int8_t scales[16];
    Half d;
  };

  static HWY_INLINE int Scale(const Block& block, size_t s) { return block.scales[s]; }

  // Importance is the weight itself here.
  static void Search(const float* x, const float* importance, FoundSymmetric& found) {
    for (size_t s = 0; s < 16; ++s) {
      const float* values = x + 16 * s;
      float weights[16];
      for (size_t i = 0; i < 16; ++i) {
        weights[i] = importance == nullptr ? values[i] * values[i] : importance[16 * s + i];
      }
      found.scales[s] = SearchSymmetric(16, kTop, values, weights, found.codes + 16 * s);
    }
  }

  // d and the scales' integers from the scales that were found. A block of zeros stays one, codes
  // and all: then false is returned.
  static bool CodeScales(const float* scales, Block& block) {
    const float most = SignedMaximum(scales, 16);
    if (std::fabs(most) < kLeastMaximum) {
      return false;
    }
    const float inverse = -128 / most;
    block.d.Set(1 / inverse);
    for (size_t s = 0; s < 16; ++s) {
      block.scales[s] = static_cast<int8_t>(std::min(127, Nearest(inverse * scales[s])));
    }
    return true;
  }

  static HWY_INLINE void Pack(const int8_t* codes, Block& block) {
    for (size_t h = 0; h < 2; ++h) {
      for (size_t i = 0; i < 32; ++i) {
        const int8_t* first = codes + 128 * h + i;
        uint8_t* low = block.low + 64 * h + i;
        low[0] = static_cast<uint8_t>((first[0] & 15) | (first[64] & 15) << 4);
        low[32] = static_cast<uint8_t>((first[32] & 15) | (first[96] & 15) << 4);
        block.high[32 * h + i] = static_cast<uint8_t>(first[0] >> 4 | first[32] >> 4 << 2 |
                                                      first[64] >> 4 << 4 | first[96] >> 4 << 6);
      }
    }
  }

  static void Encode(const float* x, const Importance& importance, Block& block) {
    FoundSymmetric found;
    Search(x, importance.columns, found);
    if (CodeScales(found.scales, block)) {
      CodeAgainSymmetric<Q6K>(x, block, found.codes);
      Pack(found.codes, block);
    }
  }

  static HWY_INLINE void Decode(const Block& block, float* values) {
    const float d = block.d.Get();
    for (size_t s = 0; s < 16; ++s) {
      const float scale = d * static_cast<float>(block.scales[s]);
      const size_t half = s / 8;
      const size_t quarter = s / 2 % 4;
      const uint8_t* low = block.low + 64 * half + 32 * (quarter % 2) + 16 * (s % 2);
      const uint8_t* high = block.high + 32 * half + 16 * (s % 2);
      const uint32_t shift = 4 * (quarter / 2);
      const uint32_t high_shift = 2 * quarter;
      for (size_t i = 0; i < 16; ++i) {
        const int code = (low[i] >> shift & 15) | (high[i] >> high_shift & 3) << 4;
        values[16 * s + i] = scale * static_cast<float>(code - 32);
      }
    }
  }
};

// Activations: read only.
struct Q8K {
  static constexpr Scheme kScheme = Scheme::kQ8K;
  static constexpr size_t kElements = 256;

  struct Block {
    Word d;  // the bits of a float
    int8_t codes[256];
    uint8_t sums[32];  // of 16 codes each, 16 bits
  };

  static HWY_INLINE void Decode(const Block& block, float* values) {
    const auto d = std::bit_cast<float>(block.d.Get());
    for (size_t i = 0; i < 256; ++i) {
      values[i] = d * static_cast<float>(block.codes[i]);
    }
  }
};

template <>
void EncodeBlocks<Q3K>(const EncodeJob& job);
template <>
void EncodeBlocks<Q6K>(const EncodeJob& job);

}  // namespace lbrx::ggml
