// The formats with blocks of 32 elements: a scale d, with _1 also a minimum m.
#pragma once

#include "quant/schemes/ggml/block.h"

namespace lbrx::ggml {

struct Q40 {
  static constexpr Scheme kScheme = Scheme::kQ40;
  static constexpr size_t kElements = 32;

  struct Block {
    Half d;
    uint8_t codes[16];  // of element i low, of i + 16 high
  };

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

  struct Block {
    Half d;
    Half m;
    uint8_t codes[16];  // as in Q40
  };

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

  struct Block {
    Half d;
    Word high;          // bit i: the top bit of element i
    uint8_t codes[16];  // as in Q40
  };

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

  struct Block {
    Half d;
    Half m;
    Word high;          // as in Q50
    uint8_t codes[16];  // as in Q40
  };

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
