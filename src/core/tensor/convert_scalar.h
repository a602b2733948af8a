// The scalar conversions of convert.h, inline for the kernels. Private to this room and quant/.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace lbrx::scalar {

// Rounds to nearest even into a small format with `kMantissa` explicit mantissa bits and exponent
// bias `kBias`; the sign is left out. Values too large give whatever lies beyond the format's
// largest number: the caller saturates. Not for NaN.
template <int kMantissa, int kBias>
inline uint32_t RoundMagnitude(uint32_t magnitude) {
  constexpr uint32_t kMinNormal = static_cast<uint32_t>(128 - kBias) << 23;
  if (magnitude < kMinNormal) {
    // Adding 2^(23 + exponent of the format's smallest step) makes the FPU round to that step.
    constexpr uint32_t kMagic = static_cast<uint32_t>(128 - kBias + 23 - kMantissa) << 23;
    const float sum = std::bit_cast<float>(magnitude) + std::bit_cast<float>(kMagic);
    return std::bit_cast<uint32_t>(sum) - kMagic;
  }
  constexpr int kShift = 23 - kMantissa;
  const uint32_t odd = (magnitude >> kShift) & 1;
  const uint32_t rebias = static_cast<uint32_t>(127 - kBias) << 23;
  return (magnitude - rebias + ((1U << (kShift - 1)) - 1) + odd) >> kShift;
}

inline float BF16ToFloat(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

// NaN: the upper half, made quiet.
inline uint16_t FloatToBF16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) {
    return static_cast<uint16_t>((bits >> 16) | 0x40);
  }
  return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

// A signalling NaN becomes quiet, as in hardware.
inline float F16ToFloat(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const uint32_t magnitude = bits & 0x7FFFU;
  if (magnitude > 0x7C00) {
    return std::bit_cast<float>(sign | 0x7FC00000 | (magnitude << 13));
  }
  if (magnitude == 0x7C00) {
    return std::bit_cast<float>(sign | 0x7F800000);
  }
  // Read as f32 the bits mean value * 2^-112, subnormals included; the product is exact.
  const float scaled = std::bit_cast<float>(magnitude << 13) * 0x1p112F;
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(scaled));
}

inline uint16_t FloatToF16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (bits >> 16) & 0x8000;
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) {
    return static_cast<uint16_t>(sign | 0x7E00 | ((magnitude >> 13) & 0x3FF));
  }
  if (magnitude >= 0x477FF000) {  // 65520, the first value that rounds to infinity
    return static_cast<uint16_t>(sign | 0x7C00);
  }
  return static_cast<uint16_t>(sign | RoundMagnitude<10, 15>(magnitude));
}

inline float F8E4M3ToFloat(uint8_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x80) << 24;
  const uint32_t magnitude = bits & 0x7FU;
  if (magnitude == 0x7F) {
    return std::bit_cast<float>(sign | 0x7FC00000);
  }
  const float scaled = std::bit_cast<float>(magnitude << 20) * 0x1p120F;
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(scaled));
}

inline uint8_t FloatToF8E4M3(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (bits >> 24) & 0x80;
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) {
    return 0x7F;
  }
  if (magnitude >= 0x43E00000) {  // 448
    return static_cast<uint8_t>(sign | 0x7E);
  }
  return static_cast<uint8_t>(sign | RoundMagnitude<3, 7>(magnitude));
}

inline float F8E5M2ToFloat(uint8_t bits) {
  return F16ToFloat(static_cast<uint16_t>(bits << 8));
}

inline uint8_t FloatToF8E5M2(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (bits >> 24) & 0x80;
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) {
    return static_cast<uint8_t>(sign | 0x7F);
  }
  if (magnitude >= 0x47700000) {  // 61440, the first value that rounds to infinity
    return static_cast<uint8_t>(sign | 0x7C);
  }
  return static_cast<uint8_t>(sign | RoundMagnitude<2, 15>(magnitude));
}

inline float F8E8M0ToFloat(uint8_t bits) {
  if (bits == 255) {
    return std::bit_cast<float>(0x7FC00000U);
  }
  return std::bit_cast<float>(bits == 0 ? 0x00400000U : static_cast<uint32_t>(bits) << 23);
}

inline float F4ToFloat(uint8_t code) {
  constexpr float kMagnitudes[8] = {0.0F, 0.5F, 1.0F, 1.5F, 2.0F, 3.0F, 4.0F, 6.0F};
  const float magnitude = kMagnitudes[code & 7];
  return (code & 8) != 0 ? -magnitude : magnitude;
}

// To float by truncation with the lowest bit set where anything was lost ("round to odd"): a
// following rounding to 22 or fewer bits then gives the same as rounding the double itself.
inline float DoubleToFloatOdd(double value) {
  const auto nearest = static_cast<float>(value);
  if (std::isnan(value) || static_cast<double>(nearest) == value) {
    return nearest;
  }
  auto bits = std::bit_cast<uint32_t>(nearest);
  if (std::fabs(static_cast<double>(nearest)) > std::fabs(value)) {
    --bits;  // one step toward zero; from infinity to the largest number
  }
  return std::bit_cast<float>(bits | 1);
}

// The same from a magnitude of 64 bits.
inline float IntegerToFloatOdd(uint64_t magnitude, bool negative) {
  const int excess = 64 - std::countl_zero(magnitude) - 24;
  if (excess > 0) {
    const uint64_t lost = magnitude & ((uint64_t{1} << excess) - 1);
    magnitude = (magnitude >> excess << excess) | (lost != 0 ? uint64_t{1} << excess : 0);
  }
  const auto value = static_cast<float>(magnitude);
  return negative ? -value : value;
}

}  // namespace lbrx::scalar
