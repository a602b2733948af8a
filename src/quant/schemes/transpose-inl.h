// Rows to columns, so that each lane has a row to itself. For files compiled per target
// (core/base/simd.h).
#if defined(LBRX_TRANSPOSE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LBRX_TRANSPOSE_INL_H
#undef LBRX_TRANSPOSE_INL_H
#else
#define LBRX_TRANSPOSE_INL_H
#endif

#include "core/base/simd.h"
#include "core/tensor/float_lanes-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
#if LBRX_SIMD

// Pairs of lanes, then pairs of those: row i of the result has lane i of every vector.
HWY_INLINE void TransposeBlocks(const FloatVec* in, FloatVec* out) {
  const FloatTag d;
  const hn::Repartition<double, FloatTag> pairs;
  const auto low = [&](FloatVec a, FloatVec b) HWY_ATTR { return hn::InterleaveLower(d, a, b); };
  const auto high = [&](FloatVec a, FloatVec b) HWY_ATTR { return hn::InterleaveUpper(d, a, b); };
  const auto join = [&](FloatVec a, FloatVec b, FloatVec& first, FloatVec& second) HWY_ATTR {
    const auto x = hn::BitCast(pairs, a);
    const auto y = hn::BitCast(pairs, b);
    first = hn::BitCast(d, hn::InterleaveLower(pairs, x, y));
    second = hn::BitCast(d, hn::InterleaveUpper(pairs, x, y));
  };
  join(low(in[0], in[1]), low(in[2], in[3]), out[0], out[1]);
  join(high(in[0], in[1]), high(in[2], in[3]), out[2], out[3]);
}

// Lane i of in[k] becomes lane k of out[i]; kFloatLanes of each.
HWY_INLINE void TransposeSquare(const FloatVec* in, FloatVec* out) {
  const FloatTag d;
  TransposeBlocks(in, out);
  if constexpr (kFloatLanes == 8) {
    TransposeBlocks(in + 4, out + 4);
    for (size_t k = 0; k < 4; ++k) {
      const FloatVec first = out[k];
      out[k] = hn::ConcatLowerLower(d, out[k + 4], first);
      out[k + 4] = hn::ConcatUpperUpper(d, out[k + 4], first);
    }
  }
}

#endif
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
