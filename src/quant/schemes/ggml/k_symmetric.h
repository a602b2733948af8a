// The K formats without minima: super-blocks of 256 elements, whose 16 sub-blocks have a signed
// integer scale, in steps of d: x = d * scale * code.
#pragma once

#include "quant/schemes/ggml/block.h"

namespace lbrx::ggml {

struct Q3K {
  static constexpr Scheme kScheme = Scheme::kQ3K;
  static constexpr size_t kElements = 256;

  struct Block {
    uint8_t high[32];    // byte i, bit 4 h + j: the top bit of element 128 h + 32 j + i
    uint8_t codes[64];   // as in Q2K
    uint8_t scales[12];  // of sub-block s: nibble s / 8 of byte s % 8; two bits s / 4 of 8 + s % 4
    Half d;

    int Scale(size_t s) const {
      const int low = scales[s % 8] >> 4 * (s / 8) & 15;
      const int top = scales[8 + s % 4] >> 2 * (s / 4) & 3;
      return (low | top << 4) - 32;
    }
  };

  static HWY_INLINE void Decode(const Block& block, float* values) {
    const float d = block.d.Get();
    for (size_t s = 0; s < 16; ++s) {
      const float scale = d * static_cast<float>(block.Scale(s));
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

  struct Block {
    // Half h, quarter q, element i < 32 of it: byte 64 h + 32 (q % 2) + i of `low`, its nibble q /
    // 2; byte 32 h + i of `high`, bits 2 q.
    uint8_t low[128];
    uint8_t high[64];
    int8_t scales[16];
    Half d;
  };

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

}  // namespace lbrx::ggml
