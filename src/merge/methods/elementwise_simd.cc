// Sums of vectors with coefficients, on vectors. Every target here has fused multiply-add.
#include "core/base/simd.h"
#include "merge/methods/elementwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "merge/methods/elementwise_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h.
#include "core/tensor/float_lanes-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

// Vectors in flight: additions of one wait for each other.
inline constexpr size_t kMixVectors = 4;

template <bool kOrigin, bool kDivide, bool kFused>
void MixAs(const VectorMix& mix, size_t begin, size_t end, float* out) {
  const FloatTag d;
  constexpr size_t kStep = kMixVectors * kFloatLanes;
  const FloatVec divisor = hn::Set(d, mix.divisor);
  size_t i = begin;
  for (; i + kStep <= end; i += kStep) {
    FloatVec origins[kMixVectors];
    FloatVec sums[kMixVectors];
    HWY_UNROLL(4)
    for (size_t v = 0; v < kMixVectors; ++v) {
      sums[v] = hn::Zero(d);
      origins[v] = kOrigin ? hn::LoadU(d, mix.origin + i + v * kFloatLanes) : hn::Zero(d);
    }
    for (size_t m = 0; m < mix.vectors.size(); ++m) {
      const float* vector = mix.vectors[m] + i;
      const FloatVec coefficient = hn::Set(d, mix.coefficients[m]);
      HWY_UNROLL(4)
      for (size_t v = 0; v < kMixVectors; ++v) {
        const FloatVec x = hn::LoadU(d, vector + v * kFloatLanes);
        const FloatVec delta = kOrigin ? hn::Sub(x, origins[v]) : x;
        sums[v] = kFused ? hn::MulAdd(coefficient, delta, sums[v])
                         : hn::Add(sums[v], hn::Mul(coefficient, delta));
      }
    }
    HWY_UNROLL(4)
    for (size_t v = 0; v < kMixVectors; ++v) {
      const FloatVec sum = kDivide ? hn::Div(sums[v], divisor) : sums[v];
      hn::StoreU(kOrigin ? hn::Add(origins[v], sum) : sum, d, out + i + v * kFloatLanes);
    }
  }
  MixVectorsReference(mix, i, end, out);
}

template <bool kOrigin, bool kFused>
void MixOf(const VectorMix& mix, size_t begin, size_t end, float* out) {
  if (mix.divisor == 1) {
    MixAs<kOrigin, false, kFused>(mix, begin, end, out);
  } else {
    MixAs<kOrigin, true, kFused>(mix, begin, end, out);
  }
}

void Mix(const VectorMix& mix, size_t begin, size_t end, float* out) {
  if (mix.origin != nullptr) {
    mix.fused ? MixOf<true, true>(mix, begin, end, out) : MixOf<true, false>(mix, begin, end, out);
  } else {
    mix.fused ? MixOf<false, true>(mix, begin, end, out)
              : MixOf<false, false>(mix, begin, end, out);
  }
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx {

void MixVectors(const VectorMix& mix, size_t count, float* out) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(MixVectorsReference, Mix);
  kTable.Get()(mix, 0, count, out);
}

}  // namespace lbrx
#endif
