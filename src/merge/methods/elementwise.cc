#include "merge/methods/elementwise.h"

#include <algorithm>
#include <cmath>

#include "core/tensor/convert.h"

namespace lbrx {

void MixVectorsReference(const VectorMix& mix, size_t begin, size_t end, float* out) {
  for (size_t i = begin; i < end; ++i) {
    const float origin = mix.origin == nullptr ? 0.0F : mix.origin[i];
    float sum = 0;
    for (size_t m = 0; m < mix.vectors.size(); ++m) {
      const float delta = mix.vectors[m][i] - origin;
      sum =
          mix.fused ? std::fma(mix.coefficients[m], delta, sum) : sum + mix.coefficients[m] * delta;
    }
    sum /= mix.divisor;
    out[i] = mix.origin == nullptr ? sum : origin + sum;
  }
}

namespace {

// A block of MixVectorsRounded.
void MixBlock(const VectorMix& mix, MergeRounding rounding, size_t begin, size_t count,
              float* out) {
  const float* origin = mix.origin == nullptr ? nullptr : mix.origin + begin;
  float term[kMergeBlock];
  std::fill(out, out + count, 0.0F);
  for (size_t m = 0; m < mix.vectors.size(); ++m) {
    const float* vector = mix.vectors[m] + begin;
    const float coefficient = mix.coefficients[m];
    if (origin != nullptr) {
      MapRun(rounding, count, term, [&](size_t i) { return vector[i] - origin[i]; });
      vector = term;
    }
    MapRun(rounding, count, term, [&](size_t i) { return coefficient * vector[i]; });
    MapRun(rounding, count, out, [&](size_t i) { return out[i] + term[i]; });
  }
  if (mix.divisor != 1) {
    MapRun(rounding, count, out, [&](size_t i) { return out[i] / mix.divisor; });
  }
  if (origin != nullptr) {
    MapRun(rounding, count, out, [&](size_t i) { return origin[i] + out[i]; });
  }
}

}  // namespace

void MixVectorsRounded(const VectorMix& mix, MergeRounding rounding, size_t count, float* out) {
  for (size_t begin = 0; begin < count; begin += kMergeBlock) {
    MixBlock(mix, rounding, begin, std::min(kMergeBlock, count - begin), out + begin);
  }
}

void RoundRun(MergeRounding rounding, float* values, size_t count) {
  if (rounding == MergeRounding::kNone) {
    return;
  }
  const DType dtype = rounding == MergeRounding::kBF16 ? DType::kBF16 : DType::kF16;
  uint16_t rounded[kMergeBlock];
  for (size_t begin = 0; begin < count; begin += kMergeBlock) {
    const size_t n = std::min(kMergeBlock, count - begin);
    auto* floats = reinterpret_cast<std::byte*>(values + begin);
    auto* halves = reinterpret_cast<std::byte*>(rounded);
    Convert(DType::kF32, floats, dtype, halves, n);
    Convert(dtype, halves, DType::kF32, floats, n);
  }
}

float RoundOne(MergeRounding rounding, double value) {
  auto rounded = static_cast<float>(value);
  RoundRun(rounding, &rounded, 1);
  return rounded;
}

double RoundFigure(MergeRounding rounding, double value) {
  return rounding == MergeRounding::kNone ? value : RoundOne(rounding, value);
}

}  // namespace lbrx
