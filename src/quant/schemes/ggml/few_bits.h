// The formats for models that were trained to one or two bits: signs, and the digits -1, 0 and 1.
#pragma once

#include <algorithm>
#include <cmath>

#include "quant/schemes/ggml/block.h"

namespace lbrx::ggml {

struct Q10 {
  static constexpr Scheme kScheme = Scheme::kQ10;
  static constexpr size_t kElements = 128;

  struct Block {
    Half d;
    uint8_t positive[16];  // a bit for each element
  };

  static void Encode(const float* x, const Importance&, Block& block) {
    float sum = 0;
    for (size_t i = 0; i < kElements; ++i) {
      sum += std::fabs(x[i]);
      block.positive[i / 8] = static_cast<uint8_t>(block.positive[i / 8] | (x[i] >= 0) << i % 8);
    }
    block.d.Set(sum / kElements);
  }

  static HWY_INLINE void Decode(const Block& block, float* values) {
    const float d = block.d.Get();
    for (size_t i = 0; i < 16; ++i) {
      for (size_t bit = 0; bit < 8; ++bit) {
        values[8 * i + bit] = (block.positive[i] >> bit & 1) != 0 ? d : -d;
      }
    }
  }
};

struct Q20 {
  static constexpr Scheme kScheme = Scheme::kQ20;
  static constexpr size_t kElements = 64;

  struct Block {
    Half d;
    uint8_t codes[16];  // four to a byte, one after another
  };

  static void Encode(const float* x, const Importance&, Block& block) {
    const float d = Magnitude(x, kElements);
    const float inverse = InverseOrZero(d);
    block.d.Set(d);
    for (size_t i = 0; i < kElements; ++i) {
      const int32_t code = std::clamp(NearestAway(x[i] * inverse), -1, 2) + 1;
      block.codes[i / 4] = static_cast<uint8_t>(block.codes[i / 4] | code << 2 * (i % 4));
    }
  }

  static HWY_INLINE void Decode(const Block& block, float* values) {
    const float d = block.d.Get();
    for (size_t i = 0; i < 16; ++i) {
      for (size_t k = 0; k < 4; ++k) {
        values[4 * i + k] = static_cast<float>((block.codes[i] >> 2 * k & 3) - 1) * d;
      }
    }
  }
};

// -1, 0 or 1 as 0, 1 or 2; 1 for what is no number.
inline uint32_t Digit(float value) {
  return std::fabs(value) < 2 ? static_cast<uint32_t>(NearestAway(value) + 1) : 1;
}

struct Tq10 {
  static constexpr Scheme kScheme = Scheme::kTq10;
  static constexpr size_t kElements = 256;

  // Bytes of digits in base 3, the first one on top, as fractions of 256: five in `fives` and four
  // in `fours`. Digit n of byte i is of element 32 n + i for the first 32 bytes, then 160 + 16 n +
  // i, then 240 + 4 n + i.
  struct Block {
    uint8_t fives[48];
    uint8_t fours[4];
    Half d;
  };

  static void Encode(const float* x, const Importance&, Block& block) {
    const float d = Magnitude(x, kElements);
    block.d.Set(d);
    const float inverse = InverseOrZero(d);
    EncodeRun<32, 5>(x, inverse, block.fives);
    EncodeRun<16, 5>(x + 160, inverse, block.fives + 32);
    EncodeRun<4, 4>(x + 240, inverse, block.fours);
  }

  static HWY_INLINE void Decode(const Block& block, float* values) {
    const float d = block.d.Get();
    DecodeRun<32, 5>(block.fives, d, values);
    DecodeRun<16, 5>(block.fives + 32, d, values + 160);
    DecodeRun<4, 4>(block.fours, d, values + 240);
  }

 private:
  template <size_t kBytes, size_t kDigits>
  static void EncodeRun(const float* x, float inverse, uint8_t* bytes) {
    for (size_t i = 0; i < kBytes; ++i) {
      uint32_t number = 0;
      for (size_t n = 0; n < 5; ++n) {
        number = 3 * number + (n < kDigits ? Digit(x[kBytes * n + i] * inverse) : 0);
      }
      bytes[i] = static_cast<uint8_t>(((number & 255) * 256 + 242) / 243);
    }
  }

  template <size_t kBytes, size_t kDigits>
  static HWY_INLINE void DecodeRun(const uint8_t* bytes, float d, float* values) {
    uint32_t power = 1;
    for (size_t n = 0; n < kDigits; ++n) {
      for (size_t i = 0; i < kBytes; ++i) {
        const auto digit = static_cast<int32_t>((bytes[i] * power & 255) * 3 >> 8);
        values[kBytes * n + i] = static_cast<float>(digit - 1) * d;
      }
      power *= 3;
    }
  }
};

struct Tq20 {
  static constexpr Scheme kScheme = Scheme::kTq20;
  static constexpr size_t kElements = 256;

  struct Block {
    uint8_t codes[64];  // as in Q2K
    Half d;
  };

  static void Encode(const float* x, const Importance&, Block& block) {
    const float d = Magnitude(x, kElements);
    block.d.Set(d);
    const float inverse = InverseOrZero(d);
    for (size_t i = 0; i < kElements; ++i) {
      uint8_t& byte = block.codes[32 * (i / 128) + i % 32];
      byte = static_cast<uint8_t>(byte | (Digit(x[i] * inverse) & 3) << 2 * (i / 32 % 4));
    }
  }

  static HWY_INLINE void Decode(const Block& block, float* values) {
    const float d = block.d.Get();
    for (size_t q = 0; q < 8; ++q) {
      const uint8_t* codes = block.codes + 32 * (q / 4);
      const uint32_t shift = 2 * (q % 4);
      for (size_t i = 0; i < 32; ++i) {
        values[32 * q + i] = static_cast<float>((codes[i] >> shift & 3) - 1) * d;
      }
    }
  }
};

template <>
void EncodeBlocks<Q20>(const EncodeJob& job);
template <>
void EncodeBlocks<Tq10>(const EncodeJob& job);
template <>
void EncodeBlocks<Tq20>(const EncodeJob& job);

}  // namespace lbrx::ggml
