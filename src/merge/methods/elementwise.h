// Arithmetic on runs of floats that merge methods share. Every operation is one of float32, so
// results are the same bits on every CPU.
#pragma once

#include <cstddef>
#include <span>

#include "merge/method.h"

namespace lbrx {

// What one loads at a time where intermediate runs are kept: small enough for L1.
inline constexpr size_t kMergeBlock = 512;

// A sum of vectors with coefficients.
struct VectorMix {
  std::span<const float* const> vectors;
  std::span<const float> coefficients;  // one for each vector
  const float* origin = nullptr;        // given: of vector - origin, and origin is added at the end
  float divisor = 1;                    // of the sum
  bool fused = false;                   // products are added to the sum without rounding them first
};

// out[i] = origin[i] + (c0 * (v0[i] - origin[i]) + c1 * ... from left to right) / divisor.
void MixVectorsReference(const VectorMix& mix, size_t begin, size_t end, float* out);
void MixVectors(const VectorMix& mix, size_t count, float* out);

// The same with each operation's result rounded; without a divisor where that is 1.
void MixVectorsRounded(const VectorMix& mix, MergeRounding rounding, size_t count, float* out);

// Rounds to the dtype that is meant and back.
void RoundRun(MergeRounding rounding, float* values, size_t count);
float RoundOne(MergeRounding rounding, double value);
// The same for figures of a whole tensor, which stay float64 for kNone.
double RoundFigure(MergeRounding rounding, double value);

// out[i] = value(i), rounded: one operation of the peer's.
template <typename Value>
void MapRun(MergeRounding rounding, size_t count, float* out, Value value) {
  for (size_t i = 0; i < count; ++i) {
    out[i] = value(i);
  }
  RoundRun(rounding, out, count);
}

}  // namespace lbrx
