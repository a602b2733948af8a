// The K formats with minima: super-blocks of 256 elements, whose sub-blocks have a scale and a
// minimum, which are integers themselves, in steps of d and dmin: x = d * scale * code - dmin *
// minimum.
#pragma once

#include "quant/schemes/ggml/block.h"

namespace lbrx::ggml {

struct Q2K {
  static constexpr Scheme kScheme = Scheme::kQ2K;
  static constexpr size_t kElements = 256;

  struct Block {
    uint8_t scales[16];  // of 16 elements each: the scale low, the minimum high
    uint8_t codes[64];   // element 128 h + 32 j + i: byte 32 h + i, bits 2 j
    Half d;
    Half dmin;
  };

  static HWY_INLINE void Decode(const Block& block, float* values) {
    const float d = block.d.Get();
    const float dmin = block.dmin.Get();
    for (size_t s = 0; s < 16; ++s) {
      const float scale = d * static_cast<float>(block.scales[s] & 15);
      const float minimum = dmin * static_cast<float>(block.scales[s] >> 4);
      const uint8_t* codes = block.codes + 32 * (s / 8) + 16 * (s % 2);
      const uint32_t shift = 2 * (s / 2 % 4);
      for (size_t i = 0; i < 16; ++i) {
        values[16 * s + i] = scale * static_cast<float>(codes[i] >> shift & 3) - minimum;
      }
    }
  }
};

// Eight scales and eight minima of 6 bits: the first four of each in the low bits of bytes 0-3 and
// 4-7; of the last four the low nibbles together in bytes 8-11, their top bits above the others.
struct SixBitPairs {
  uint8_t bytes[12];

  uint8_t Scale(size_t s) const {
    return s < 4 ? bytes[s] & 63
                 : static_cast<uint8_t>((bytes[s + 4] & 15) | bytes[s - 4] >> 6 << 4);
  }

  uint8_t Minimum(size_t s) const {
    return s < 4 ? bytes[s + 4] & 63 : static_cast<uint8_t>(bytes[s + 4] >> 4 | bytes[s] >> 6 << 4);
  }
};

struct Q4K {
  static constexpr Scheme kScheme = Scheme::kQ4K;
  static constexpr size_t kElements = 256;

  struct Block {
    Half d;
    Half dmin;
    SixBitPairs scales;  // of 32 elements each
    uint8_t codes[128];  // element 64 p + i: byte 32 p + i low; element 64 p + 32 + i: high
  };

  static HWY_INLINE void Decode(const Block& block, float* values) {
    const float d = block.d.Get();
    const float dmin = block.dmin.Get();
    for (size_t s = 0; s < 8; ++s) {
      const float scale = d * static_cast<float>(block.scales.Scale(s));
      const float minimum = dmin * static_cast<float>(block.scales.Minimum(s));
      const uint8_t* codes = block.codes + 32 * (s / 2);
      const uint32_t shift = 4 * (s % 2);
      for (size_t i = 0; i < 32; ++i) {
        values[32 * s + i] = scale * static_cast<float>(codes[i] >> shift & 15) - minimum;
      }
    }
  }
};

struct Q5K {
  static constexpr Scheme kScheme = Scheme::kQ5K;
  static constexpr size_t kElements = 256;

  struct Block {
    Half d;
    Half dmin;
    SixBitPairs scales;
    uint8_t high[32];    // byte i: the top bits of element i of each of the eight sub-blocks
    uint8_t codes[128];  // as in Q4K
  };

  static HWY_INLINE void Decode(const Block& block, float* values) {
    const float d = block.d.Get();
    const float dmin = block.dmin.Get();
    for (size_t s = 0; s < 8; ++s) {
      const float scale = d * static_cast<float>(block.scales.Scale(s));
      const float minimum = dmin * static_cast<float>(block.scales.Minimum(s));
      const uint8_t* codes = block.codes + 32 * (s / 2);
      const uint32_t shift = 4 * (s % 2);
      for (size_t i = 0; i < 32; ++i) {
        const uint32_t code = (codes[i] >> shift & 15U) | (block.high[i] >> s & 1U) << 4;
        values[32 * s + i] = scale * static_cast<float>(static_cast<int32_t>(code)) - minimum;
      }
    }
  }
};

}  // namespace lbrx::ggml
