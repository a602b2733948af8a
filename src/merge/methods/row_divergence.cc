#include "merge/methods/row_divergence.h"

#include <algorithm>
#include <cmath>

#include "merge/methods/elementwise.h"

namespace lbrx {
namespace {

constexpr double kEpsilon = 1e-8;  // keeps logarithms finite

// exp(v - maximum) * scale adds up to 1.
struct Softmax {
  double maximum = 0;
  double scale = 1;

  double Of(float value) const { return std::exp(value - maximum) * scale; }
};

Softmax SoftmaxOf(const float* values, size_t count) {
  Softmax out{.maximum = *std::max_element(values, values + count)};
  double sum = 0;
  for (size_t i = 0; i < count; ++i) {
    sum += std::exp(values[i] - out.maximum);
  }
  out.scale = 1 / sum;
  return out;
}

double RoundedDivergence(const float* x, const float* b, size_t count, const Softmax& of_x,
                         const Softmax& of_b, MergeRounding rounding) {
  float p[kMergeBlock];
  float q[kMergeBlock];
  double sum = 0;
  for (size_t begin = 0; begin < count; begin += kMergeBlock) {
    const size_t n = std::min(kMergeBlock, count - begin);
    const auto probabilities = [&](const Softmax& softmax, const float* values, float* out) {
      MapRun(rounding, n, out, [&](size_t i) { return static_cast<float>(softmax.Of(values[i])); });
      MapRun(rounding, n, out, [&](size_t i) { return out[i] + static_cast<float>(kEpsilon); });
    };
    probabilities(of_x, x + begin, p);
    probabilities(of_b, b + begin, q);
    MapRun(rounding, n, q, [&](size_t i) { return p[i] / q[i]; });
    MapRun(rounding, n, q, [&](size_t i) { return std::log(q[i]); });
    MapRun(rounding, n, q, [&](size_t i) { return p[i] * q[i]; });
    for (size_t i = 0; i < n; ++i) {
      sum += q[i];
    }
  }
  return sum;
}

}  // namespace

float RowDivergence(const float* x, const float* b, size_t count, MergeRounding rounding) {
  const Softmax of_x = SoftmaxOf(x, count);
  const Softmax of_b = SoftmaxOf(b, count);
  if (rounding != MergeRounding::kNone) {
    return RoundOne(rounding, RoundedDivergence(x, b, count, of_x, of_b, rounding));
  }
  double sum = 0;
  for (size_t i = 0; i < count; ++i) {
    const double p = of_x.Of(x[i]) + kEpsilon;
    const double q = of_b.Of(b[i]) + kEpsilon;
    sum += p * std::log(p / q);
  }
  return static_cast<float>(std::max(sum, 0.0));
}

}  // namespace lbrx
