// The searches for scales in GGML's reference quantizers, operation by operation: their bytes
// depend on the order of every sum. Scalar; the lanes of searches-inl.h do the same in many
// sub-blocks at once.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "hwy/base.h"

namespace lbrx::ggml {

// Sub-blocks whose values are all smaller count as zeros.
inline constexpr float kLeastMaximum = 1e-15F;
inline constexpr size_t kMostInSubBlock = 32;

// Half to even for magnitudes below 2^22. What it makes of others, and of NaN, reaches the bytes.
HWY_INLINE int32_t Nearest(float value) {
  return (std::bit_cast<int32_t>(value + 0x1.8p23F) & 0x7FFFFF) - 0x400000;
}

HWY_INLINE int32_t NearestWithin(float value, int32_t least, int32_t most) {
  return std::max(least, std::min(most, Nearest(value)));
}

// Toward zero. What x86-64 gives for numbers beyond 32 bits and NaN reaches the bytes, too.
HWY_INLINE int32_t Truncate(float value) {
  return std::fabs(value) < 0x1p31F ? static_cast<int32_t>(value) : INT32_MIN;
}

// Half away from zero, then as above.
HWY_INLINE int32_t NearestAway(float value) {
  return Truncate(std::round(value));
}

HWY_INLINE float Magnitude(const float* x, size_t n) {
  float most = 0;
  for (size_t i = 0; i < n; ++i) {
    most = std::max(most, std::fabs(x[i]));
  }
  return most;
}

HWY_INLINE float InverseOrZero(float value) {
  return value != 0 ? 1 / value : 0;
}

inline float SumOfSquares(const float* x, size_t n) {
  float sum = 0;
  for (size_t i = 0; i < n; ++i) {
    sum += x[i] * x[i];
  }
  return sum;
}

inline float MeanSquare(const float* x, size_t n) {
  return SumOfSquares(x, n) / static_cast<float>(n);
}

// The weights of errors where columns have an importance; `spread` is a mean square.
HWY_INLINE void ImportanceWeights(const float* x, const float* importance, float spread, size_t n,
                                  float* weights) {
  for (size_t i = 0; i < n; ++i) {
    weights[i] = importance[i] * std::sqrt(spread + x[i] * x[i]);
  }
}

// The first of the values of largest magnitude.
inline float SignedMaximum(const float* x, size_t n) {
  float most = 0;
  float magnitude = 0;
  for (size_t i = 0; i < n; ++i) {
    if (std::fabs(x[i]) > magnitude) {
      magnitude = std::fabs(x[i]);
      most = x[i];
    }
  }
  return most;
}

// x * code and code * code, weighted: their quotient is the best scale for the codes.
struct Products {
  float xl = 0;
  float ll = 0;

  void Add(float weight, float x, float code) {
    xl += weight * x * code;
    ll += weight * code * code;
  }

  Products Without(float weight, float x, float code) const {
    Products out;
    out.xl = xl - weight * x * code;
    out.ll = ll - weight * code * code;
    return out;
  }

  bool BetterThan(const Products& other) const {
    return xl * xl * other.ll > other.xl * other.xl * ll;
  }

  float Scale() const { return ll > 0 ? xl / ll : 0; }
};

// x near scale * (code - top), codes from 0 to 2 top - 1. Returns the scale. Sub-blocks of zeros
// get codes 0.
float SearchSymmetric(size_t n, int top, const float* x, const float* weights, int8_t* codes);

// The same by descent, one code after another; weights are the squares of x.
float DescendSymmetric(size_t n, int top, const float* x, int8_t* codes);

// x near scale * code - minimum, codes from 0 to top, minimum >= 0.
struct Affine {
  float scale;
  float minimum;
};

// Candidates: the range in top + first + step * i steps, i from 0 to `last`.
struct AffineTrials {
  float first;
  float step;
  int last;
  bool absolute;  // errors count by magnitude, not by square
};

inline constexpr AffineTrials kImportanceTrials = {-0.9F, 0.05F, 36, false};

Affine SearchAffine(size_t n, int top, const float* x, const float* weights,
                    const AffineTrials& trials, uint8_t* codes);

// Of scales, which are not negative: x near scale * code, codes from 0 to top. (Negative ones would
// wrap around.) Returns the scale.
float SearchPositive(size_t n, int top, const float* x, const float* weights, uint8_t* codes);

}  // namespace lbrx::ggml
