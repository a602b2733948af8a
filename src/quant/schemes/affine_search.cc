#include "quant/schemes/affine_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/tensor/convert.h"
#include "quant/schemes/affine.h"
#include "quant/schemes/packing.h"
#include "quant/schemes/rounding.h"

namespace lbrx {
namespace {

using TryFunction = AffineTrial (*)(const float*, size_t, float, float, float);

constexpr size_t kMaxGroup = 128;

// How a width is searched: `starts` ranges, from the whole one to one smaller by the share
// `shrink`, each refitted at most `refits` times. Few bits gain from clipping more and from
// refitting longer. Found on normal weights; more of either brings less than a hundredth.
struct Effort {
  float shrink;
  int starts;
  int refits;
};

Effort EffortFor(int bits) {
  constexpr std::array<Effort, 9> kEfforts = {{{},
                                               {0.6F, 4, 4},
                                               {0.4F, 4, 4},
                                               {0.27F, 4, 4},
                                               {0.2F, 4, 4},
                                               {0.14F, 7, 3},
                                               {0.08F, 8, 2},
                                               {0.05F, 8, 2},
                                               {0.03F, 8, 1}}};
  return kEfforts[static_cast<size_t>(bits)];
}

// One group's search.
class GroupSearch {
 public:
  GroupSearch(const float* values, const Encoding& encoding, TryFunction attempt)
      : values_(values),
        encoding_(encoding),
        attempt_(attempt),
        top_(static_cast<float>((1 << encoding.bits) - 1)) {
    for (size_t i = 0; i < encoding.group; ++i) {
      sum_w_ += static_cast<double>(values[i]);
    }
  }

  AffineFit Find(MlxRule rule) {
    const auto [mn, mx] = std::minmax_element(values_, values_ + encoding_.group);
    best_ = Stored(FitAffine(*mn, *mx, encoding_.bits, rule));
    best_error_ = attempt_(values_, encoding_.group, best_.scale, best_.bias, top_).squared_error;
    const Effort effort = EffortFor(encoding_.bits);
    const float step = effort.shrink / static_cast<float>(effort.starts - 1);
    for (int i = 0; i < effort.starts && best_error_ > 0; ++i) {
      const float keep = 1.0F - static_cast<float>(i) * step;
      TryAndRefit({(*mx * keep - *mn * keep) / top_, *mn * keep}, effort.refits);
    }
    return best_;
  }

 private:
  AffineFit Stored(const AffineFit& fit) const {
    return {RoundToDType(encoding_.dtype, fit.scale), RoundToDType(encoding_.dtype, fit.bias)};
  }

  void TryAndRefit(AffineFit fit, int refits) {
    float before = std::numeric_limits<float>::infinity();
    for (int refit = 0; refit <= refits; ++refit) {
      fit = Stored(fit);
      // A scale whose reciprocal overflows, or one that the dtype cannot hold.
      if (!(std::fabs(fit.scale) >= 1e-30F) || !std::isfinite(fit.scale + fit.bias)) {
        return;
      }
      const AffineTrial trial = attempt_(values_, encoding_.group, fit.scale, fit.bias, top_);
      if (trial.squared_error < best_error_) {
        best_error_ = trial.squared_error;
        best_ = fit;
      }
      if (!(trial.squared_error < before) || !Refit(trial, fit)) {
        return;
      }
      before = trial.squared_error;
    }
  }

  // The line through (q, w) of least squared error; false where all codes are the same.
  bool Refit(const AffineTrial& trial, AffineFit& fit) const {
    const auto count = static_cast<double>(encoding_.group);
    const auto sum_q = static_cast<double>(trial.sum_q);
    const double determinant = count * static_cast<double>(trial.sum_qq) - sum_q * sum_q;
    if (!(determinant > 0.5)) {
      return false;
    }
    const double scale = (count * static_cast<double>(trial.sum_qw) - sum_q * sum_w_) / determinant;
    fit = {static_cast<float>(scale), static_cast<float>((sum_w_ - scale * sum_q) / count)};
    return true;
  }

  const float* values_;
  const Encoding& encoding_;
  TryFunction attempt_;
  float top_;
  double sum_w_ = 0;
  AffineFit best_{};
  float best_error_ = 0;
};

// The code that a trial counted with.
float CodeOf(float value, float inverse, float bias, float top) {
  return std::clamp(std::nearbyint((value - bias) * inverse), 0.0F, top);
}

void Encode(const EncodeJob& job, TryFunction attempt) {
  const Encoding& encoding = job.encoding;
  const size_t group = encoding.group;
  const size_t value_bytes = Info(encoding.dtype).bits / 8;
  const auto top = static_cast<float>((1 << encoding.bits) - 1);
  alignas(64) std::array<float, kMaxGroup> values{};
  std::array<uint8_t, kMaxGroup> codes{};
  for (uint64_t g = 0; g < job.elements / group; ++g) {
    Convert(encoding.dtype, job.values + g * group * value_bytes, DType::kF32,
            reinterpret_cast<std::byte*>(values.data()), group);
    const AffineFit fit = GroupSearch(values.data(), encoding, attempt).Find(job.options.rule);
    const float inverse = 1.0F / fit.scale;
    for (size_t i = 0; i < group; ++i) {
      const float code = CodeOf(values[i], inverse, fit.bias, top);
      codes[i] = code > 0.0F ? static_cast<uint8_t>(code) : uint8_t{0};  // NaN of 0 * inf too
    }
    PackCodes(codes.data(), group, encoding.bits, job.planes[0] + g * group / 8 * encoding.bits);
    const auto* scale = reinterpret_cast<const std::byte*>(&fit.scale);
    const auto* bias = reinterpret_cast<const std::byte*>(&fit.bias);
    Convert(DType::kF32, scale, encoding.dtype, job.planes[1] + g * value_bytes, 1);
    Convert(DType::kF32, bias, encoding.dtype, job.planes[2] + g * value_bytes, 1);
  }
}

}  // namespace

AffineTrial TryAffineReference(const float* values, size_t count, float scale, float bias,
                               float top) {
  constexpr size_t kLanes = 8;
  std::array<std::array<float, kLanes>, 4> sums{};
  const float inverse = 1.0F / scale;
  for (size_t i = 0; i < count; ++i) {
    const size_t lane = i % kLanes;
    const float q = CodeOf(values[i], inverse, bias, top);
    const float product = scale * q;
    const float error = product + bias - values[i];
    sums[0][lane] += error * error;
    sums[1][lane] += q;
    sums[2][lane] += q * q;
    sums[3][lane] += q * values[i];
  }
  const auto total = [&](const std::array<float, kLanes>& lanes) {
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
           ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
  };
  return {total(sums[0]), total(sums[1]), total(sums[2]), total(sums[3])};
}

void EncodeAffineSearchReference(const EncodeJob& job) {
  Encode(job, TryAffineReference);
}

void EncodeAffineSearch(const EncodeJob& job) {
  Encode(job, TryAffineForThisCpu());
}

}  // namespace lbrx
