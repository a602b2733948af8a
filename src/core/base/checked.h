// Arithmetic on sizes that come from files: every product and sum is checked.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

namespace lbrx {

inline bool MulOverflows(uint64_t a, uint64_t b, uint64_t* out) {
  return __builtin_mul_overflow(a, b, out);
}

inline bool AddOverflows(uint64_t a, uint64_t b, uint64_t* out) {
  return __builtin_add_overflow(a, b, out);
}

// a * b, or nullopt where it does not fit 64 bits.
inline std::optional<uint64_t> CheckedMul(uint64_t a, uint64_t b) {
  uint64_t out = 0;
  if (MulOverflows(a, b, &out)) {
    return std::nullopt;
  }
  return out;
}

// a + b, or nullopt where it does not fit 64 bits.
inline std::optional<uint64_t> CheckedAdd(uint64_t a, uint64_t b) {
  uint64_t out = 0;
  if (AddOverflows(a, b, &out)) {
    return std::nullopt;
  }
  return out;
}

// Smallest multiple of `unit` (not 0) that is at least `value`.
constexpr uint64_t RoundUp(uint64_t value, uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

constexpr uint64_t CeilDiv(uint64_t value, uint64_t unit) {
  return (value + unit - 1) / unit;
}

}  // namespace lbrx
