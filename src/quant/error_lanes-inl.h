// Partial sums of squared errors on vectors; see error_sums.h. For files compiled per target
// (core/base/simd.h).
#if defined(LBRX_ERROR_LANES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LBRX_ERROR_LANES_INL_H
#undef LBRX_ERROR_LANES_INL_H
#else
#define LBRX_ERROR_LANES_INL_H
#endif

#include <cstddef>

#include "core/base/simd.h"
#include "core/tensor/float_lanes-inl.h"
#include "hwy/highway.h"
#include "quant/error_sums.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
#if LBRX_SIMD

// Float vectors that hold a value for each partial sum.
inline constexpr size_t kErrorVectors = kErrorSums / kFloatLanes;

// The sums while a loop adds to them, kErrorVectors vectors in each turn. Loops over their vectors
// are unrolled, so that they stay in registers.
class ErrorTotals {
 public:
  HWY_INLINE explicit ErrorTotals(const ErrorLanes& sums) {
    HWY_UNROLL(8)
    for (size_t i = 0; i < 2 * kErrorVectors; ++i) {
      totals_[i] = hn::LoadU(DoubleTag(), sums.data() + i * kDoubleLanes);
    }
  }

  // The `v`-th vector of a turn: adds weight * difference^2, or difference^2.
  template <bool kWeighted>
  HWY_INLINE void Add(size_t v, FloatVec difference, FloatVec weight) {
    const hn::Half<FloatTag> half;
    const auto square = [&](auto part, auto factor) HWY_ATTR {
      const DoubleVec wide = hn::PromoteTo(DoubleTag(), part);
      const DoubleVec product = hn::Mul(wide, wide);
      return kWeighted ? hn::Mul(product, hn::PromoteTo(DoubleTag(), factor)) : product;
    };
    totals_[2 * v] = hn::Add(totals_[2 * v],
                             square(hn::LowerHalf(half, difference), hn::LowerHalf(half, weight)));
    totals_[2 * v + 1] = hn::Add(
        totals_[2 * v + 1], square(hn::UpperHalf(half, difference), hn::UpperHalf(half, weight)));
  }

  HWY_INLINE void Store(ErrorLanes& sums) const {
    HWY_UNROLL(8)
    for (size_t i = 0; i < 2 * kErrorVectors; ++i) {
      hn::StoreU(totals_[i], DoubleTag(), sums.data() + i * kDoubleLanes);
    }
  }

 private:
  using DoubleTag = hn::Repartition<double, FloatTag>;  // half as many lanes
  using DoubleVec = hn::Vec<DoubleTag>;
  static constexpr size_t kDoubleLanes = hn::MaxLanes(DoubleTag());

  DoubleVec totals_[2 * kErrorVectors];
};

#endif
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
