// A trial of the affine search on vectors of at most eight floats.
#include <array>

#include "core/base/simd.h"
#include "quant/schemes/affine_search.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/schemes/affine_search_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kSums = 8;  // partial sums, whatever the width of a vector
using Tag = hn::CappedTag<float, kSums>;
using Vec = hn::Vec<Tag>;

HWY_INLINE float Total(Vec low, Vec high) {
  const Tag d;
  alignas(32) float lanes[kSums];
  hn::Store(low, d, lanes);
  if (hn::Lanes(d) < kSums) {
    hn::Store(high, d, lanes + hn::Lanes(d));
  }
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
         ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

// The partial sums of one position in every eight values.
struct Sums {
  Vec error;
  Vec q;
  Vec qq;
  Vec qw;

  HWY_INLINE void Add(Vec w, Vec scale, Vec inverse, Vec bias, Vec top) {
    const Vec rounded = hn::Round(hn::Mul(hn::Sub(w, bias), inverse));
    const Vec code = hn::Min(hn::Max(rounded, hn::Zero(Tag())), top);
    const Vec off = hn::Sub(hn::Add(hn::Mul(scale, code), bias), w);
    error = hn::Add(error, hn::Mul(off, off));
    q = hn::Add(q, code);
    qq = hn::Add(qq, hn::Mul(code, code));
    qw = hn::Add(qw, hn::Mul(code, w));
  }
};

AffineTrial Try(const float* values, size_t count, float scale, float bias, float top) {
  const Tag d;
  const Vec scales = hn::Set(d, scale);
  const Vec inverses = hn::Set(d, 1.0F / scale);
  const Vec biases = hn::Set(d, bias);
  const Vec tops = hn::Set(d, top);
  const Vec zero = hn::Zero(d);
  Sums low{zero, zero, zero, zero};
  Sums high{zero, zero, zero, zero};  // lanes 4 to 7 where vectors have four
  for (size_t i = 0; i < count; i += kSums) {
    low.Add(hn::LoadU(d, values + i), scales, inverses, biases, tops);
    if (hn::Lanes(d) < kSums) {
      high.Add(hn::LoadU(d, values + i + hn::Lanes(d)), scales, inverses, biases, tops);
    }
  }
  return {Total(low.error, high.error), Total(low.q, high.q), Total(low.qq, high.qq),
          Total(low.qw, high.qw)};
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx {

AffineTrial (*TryAffineForThisCpu())(const float*, size_t, float, float, float) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(TryAffineReference, Try);
  return kTable.Get();
}

}  // namespace lbrx
#endif
