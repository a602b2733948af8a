// Sums of squared errors on vectors: f32 differences, squared and added as f64.
#include "core/base/simd.h"
#include "quant/error_sums.h"
#include "quant/schemes/with_type.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/error_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h.
#include "core/tensor/float_lanes-inl.h"
#include "quant/error_lanes-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

template <DType kType, bool kWeighted>
void AddAs(const std::byte* values, const float* decoded, const float* weights, size_t count,
           ErrorLanes& sums) {
  const FloatTag d;
  ErrorTotals totals(sums);
  for (size_t i = 0; i < count; i += kErrorSums) {
    HWY_UNROLL(8)
    for (size_t v = 0; v < kErrorVectors; ++v) {
      const size_t at = i + v * kFloatLanes;
      const FloatVec difference = hn::Sub(hn::LoadU(d, decoded + at), ReadLanes<kType>(values, at));
      const FloatVec weight = kWeighted ? hn::LoadU(d, weights + at) : difference;
      totals.Add<kWeighted>(v, difference, weight);
    }
  }
  totals.Store(sums);
}

void Add(DType dtype, const std::byte* values, const float* decoded, const float* weights,
         size_t count, ErrorLanes& sums) {
  WithType(dtype, [&](auto type) {
    if (weights == nullptr) {
      AddAs<type, false>(values, decoded, weights, count, sums);
    } else {
      AddAs<type, true>(values, decoded, weights, count, sums);
    }
  });
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx {

void AddSquaredErrors(DType dtype, const std::byte* values, const float* decoded,
                      const float* weights, size_t count, ErrorLanes& sums) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(AddSquaredErrorsReference, Add);
  kTable.Get()(dtype, values, decoded, weights, count, sums);
}

}  // namespace lbrx
#endif
