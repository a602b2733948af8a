// Inner products on vectors: float products, exact in float64, added to sixteen sums.
#include <algorithm>

#include "core/base/simd.h"
#include "merge/methods/gram.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "merge/methods/gram_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h.
#include "core/tensor/float_lanes-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

using DoubleTag = hn::Repartition<double, FloatTag>;  // half as many lanes
using DoubleVec = hn::Vec<DoubleTag>;
inline constexpr size_t kDoubleLanes = hn::MaxLanes(DoubleTag());
inline constexpr size_t kDotVectors = kDotLanes / kFloatLanes;  // of floats in a turn

void AddLanes(const float* x, const float* y, uint64_t first, size_t count, DotLanes& lanes) {
  const FloatTag d;
  const hn::Half<FloatTag> half;
  const DoubleTag wide;
  const size_t head = (kDotLanes - first % kDotLanes) % kDotLanes;
  size_t i = head < count ? head : count;
  AddProductsReference(x, y, first, i, lanes);
  DoubleVec sums[2 * kDotVectors];
  HWY_UNROLL(8)
  for (size_t v = 0; v < 2 * kDotVectors; ++v) {
    sums[v] = hn::LoadU(wide, lanes.data() + v * kDoubleLanes);
  }
  for (; i + kDotLanes <= count; i += kDotLanes) {
    HWY_UNROLL(4)
    for (size_t v = 0; v < kDotVectors; ++v) {
      const FloatVec a = hn::LoadU(d, x + i + v * kFloatLanes);
      const FloatVec b = hn::LoadU(d, y + i + v * kFloatLanes);
      const DoubleVec low = hn::Mul(hn::PromoteTo(wide, hn::LowerHalf(half, a)),
                                    hn::PromoteTo(wide, hn::LowerHalf(half, b)));
      const DoubleVec high = hn::Mul(hn::PromoteTo(wide, hn::UpperHalf(half, a)),
                                     hn::PromoteTo(wide, hn::UpperHalf(half, b)));
      sums[2 * v] = hn::Add(sums[2 * v], low);
      sums[2 * v + 1] = hn::Add(sums[2 * v + 1], high);
    }
  }
  HWY_UNROLL(8)
  for (size_t v = 0; v < 2 * kDotVectors; ++v) {
    hn::StoreU(sums[v], wide, lanes.data() + v * kDoubleLanes);
  }
  AddProductsReference(x + i, y + i, first + i, count - i, lanes);
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx {

void AddProducts(const float* x, const float* y, uint64_t first, size_t count, DotLanes& lanes) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(AddProductsReference, AddLanes);
  kTable.Get()(x, y, first, count, lanes);
}

}  // namespace lbrx
#endif
