// nearswap: takes over from the other model x where it is close to the base b:
//
//   w = clamp(t / max(|b - x|, 1e-6), 0, 1);  y = w x + (1 - w) b
//
// So a difference up to t is taken whole, and a larger one moves the base by t.
//
// Source: alchemonaut, https://huggingface.co/alchemonaut/QuartetAnemoi-70B-t0.0001
#include <algorithm>
#include <cmath>

#include "merge/methods/elementwise.h"
#include "merge/methods/methods.h"
#include "merge/methods/parameters.h"

namespace lbrx {
namespace {

constexpr double kLeastDifference = 1e-6;

constexpr MergeParameterInfo kParameters[] = {
    {.name = "t", .required = true, .summary = "difference up to which the other model wins"},
};

class NearswapKernel : public MergeKernel {
 public:
  NearswapKernel(double t, MergeRounding rounding)
      : t_(static_cast<float>(t)),
        least_(RoundOne(rounding, kLeastDifference)),
        rounding_(rounding) {}

  void Combine(const MergeTile& tile, float* out) const override {
    for (size_t begin = 0; begin < tile.count; begin += kMergeBlock) {
      Block(tile.base + begin, tile.members[0] + begin, std::min(kMergeBlock, tile.count - begin),
            out + begin);
    }
  }

 private:
  // Operation by operation as the peer does it, the quotient as a product with the reciprocal.
  void Block(const float* base, const float* other, size_t count, float* out) const {
    float weight[kMergeBlock];
    float product[kMergeBlock];
    MapRun(rounding_, count, weight, [&](size_t i) { return std::abs(base[i] - other[i]); });
    MapRun(rounding_, count, weight,
           [&](size_t i) { return 1 / Clip(weight[i], least_, HUGE_VALF); });
    MapRun(rounding_, count, weight, [&](size_t i) { return weight[i] * t_; });
    MapRun(MergeRounding::kNone, count, weight, [&](size_t i) { return Clip(weight[i], 0, 1); });
    MapRun(rounding_, count, product, [&](size_t i) { return weight[i] * other[i]; });
    MapRun(rounding_, count, weight, [&](size_t i) { return 1 - weight[i]; });
    MapRun(rounding_, count, weight, [&](size_t i) { return weight[i] * base[i]; });
    MapRun(rounding_, count, out, [&](size_t i) { return product[i] + weight[i]; });
  }

  // NaN stays NaN.
  static float Clip(float value, float least, float most) {
    return value < least ? least : value > most ? most : value;
  }

  float t_;
  float least_;
  MergeRounding rounding_;
};

std::unique_ptr<MergeKernel> MakeNearswap(const MergeTensor& tensor) {
  return std::make_unique<NearswapKernel>(FiniteParameter(tensor, "t"), tensor.rounding);
}

}  // namespace

const MergeMethod kNearswap = {
    .name = "nearswap",
    .summary = "moves the base to another model where both are close",
    .reference = "https://huggingface.co/alchemonaut/QuartetAnemoi-70B-t0.0001",
    .parameters = kParameters,
    .base = BaseRole::kRequired,
    .most_members = 1,
    .lone = LoneTensor::kAsItIs,
    .make = MakeNearswap};

}  // namespace lbrx
