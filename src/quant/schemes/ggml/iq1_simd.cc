// The searches of iq1_search.cc on vectors: a lane holds a cut, or a point of the grid.
#include <algorithm>
#include <array>
#include <bit>

#include "core/base/simd.h"
#include "quant/schemes/ggml/iq1.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/schemes/ggml/iq1_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h.
#include "core/tensor/float_lanes-inl.h"
#include "quant/schemes/ggml/iq_tables-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

constexpr size_t kMaxCuts = kMaxIq1Run + 1;
constexpr Iq1Values kUp = Iq1ValuesOf(false);
constexpr Iq1Values kDown = Iq1ValuesOf(true);
constexpr float kLanes[8] = {0, 1, 2, 3, 4, 5, 6, 7};

// An element's place is the number of those before it.
void Sort(const float* x, size_t count, uint8_t* order) {
  const FloatTag d;
  for (size_t i = 0; i < count; i += kFloatLanes) {
    const FloatVec values = hn::LoadU(d, x + i);
    const FloatVec lanes = hn::Add(hn::LoadU(d, kLanes), hn::Set(d, static_cast<float>(i)));
    const FloatVec one = hn::Set(d, 1.0F);
    FloatVec places = hn::Zero(d);
    for (size_t j = 0; j < count; ++j) {
      const FloatVec other = hn::Set(d, x[j]);
      const auto earlier = hn::Lt(hn::Set(d, static_cast<float>(j)), lanes);
      const auto before = hn::Or(hn::Lt(other, values), hn::And(earlier, hn::Eq(other, values)));
      places = hn::Add(places, hn::IfThenElseZero(before, one));
    }
    alignas(32) float numbers[kFloatLanes];
    hn::Store(places, d, numbers);
    for (size_t k = 0; k < kFloatLanes; ++k) {
      order[static_cast<size_t>(numbers[k])] = static_cast<uint8_t>(i + k);
    }
  }
}

// Sums of cuts side by side.
struct CutSums {
  FloatVec qx;
  FloatVec qq;

  HWY_INLINE CutSums(FloatVec x, FloatVec q) : qx(x), qq(q) {}
};

// Offers cuts whose ranks of high elements follow one another; kKinds ways to move each.
template <size_t kKinds>
class Offers {
 public:
  HWY_INLINE explicit Offers(Iq1Best& best) : best_(best) {}

  HWY_INLINE void Set(size_t kind, const CutSums& sums) {
    const FloatTag d;
    const FloatVec score = hn::Set(d, best_.Score());
    const auto better = hn::And(hn::Gt(sums.qq, hn::Zero(d)),
                                hn::Gt(hn::Mul(sums.qx, sums.qx), hn::Mul(score, sums.qq)));
    any_ |= MaskBits(d, better);
    hn::Store(sums.qx, d, qx_[kind]);
    hn::Store(sums.qq, d, qq_[kind]);
  }

  // The first `count` lanes. `down[kind]`: as in Iq1Split.
  HWY_INLINE void Make(size_t middle, size_t high, size_t count,
                       const std::array<uint32_t, kKinds>& down) {
    for (uint32_t rest = any_ & ((1U << count) - 1); rest != 0; rest &= rest - 1) {
      const auto lane = static_cast<size_t>(std::countr_zero(rest));
      for (size_t kind = 0; kind < kKinds; ++kind) {
        best_.Offer(qx_[kind][lane], qq_[kind][lane], middle, high + lane, down[kind]);
      }
    }
    any_ = 0;
  }

 private:
  Iq1Best& best_;
  uint32_t any_ = 0;
  alignas(32) float qx_[kKinds][kFloatLanes];
  alignas(32) float qq_[kKinds][kFloatLanes];
};

// For one set of values: the parts of a sum that depend on one rank only.
struct PartsS {
  alignas(32) float high_x[kMaxCuts + kFloatLanes] = {};
  alignas(32) float high_q[kMaxCuts + kFloatLanes] = {};
  Iq1Values values;

  HWY_INLINE PartsS(const Iq1Sums& sums, const Iq1Values& z) : values(z) {
    for (size_t i = 0; i < kMaxCuts; ++i) {
      high_x[i] = (sums.wx[0][32] - sums.wx[0][i]) * z[2];
      high_q[i] = (sums.w[0][32] - sums.w[0][i]) * z[2] * z[2];
    }
  }

  // wx, w: of the middle elements.
  HWY_INLINE CutSums Of(const Iq1Sums& sums, size_t middle, size_t high, FloatVec wx,
                        FloatVec w) const {
    const FloatTag d;
    const FloatVec z = hn::Set(d, values[1]);
    const FloatVec low_x = hn::Set(d, sums.wx[0][middle] * values[0]);
    const FloatVec low_q = hn::Set(d, sums.w[0][middle] * values[0] * values[0]);
    return {hn::Add(hn::Add(low_x, hn::Mul(wx, z)), hn::LoadU(d, high_x + high)),
            hn::Add(hn::Add(low_q, hn::Mul(hn::Mul(w, z), z)), hn::LoadU(d, high_q + high))};
  }
};

Iq1Split SplitS(const Iq1Sums& sums) {
  const FloatTag d;
  const PartsS up(sums, kUp);
  const PartsS down(sums, kDown);
  Iq1Best best;
  Offers<2> offers(best);
  for (size_t middle = 0; middle <= 32; ++middle) {
    const FloatVec wx = hn::Set(d, sums.wx[0][middle]);
    const FloatVec w = hn::Set(d, sums.w[0][middle]);
    for (size_t high = middle; high <= 32; high += kFloatLanes) {
      const FloatVec between_x = hn::Sub(hn::LoadU(d, sums.wx[0] + high), wx);
      const FloatVec between = hn::Sub(hn::LoadU(d, sums.w[0] + high), w);
      offers.Set(0, up.Of(sums, middle, high, between_x, between));
      offers.Set(1, down.Of(sums, middle, high, between_x, between));
      offers.Make(middle, high, std::min(kFloatLanes, 33 - high), {0, 15});
    }
  }
  return best.Split();
}

// Half a run of 16 with one set of values.
class HalfM {
 public:
  HWY_INLINE HalfM(const Iq1Sums& sums, size_t half, const Iq1Values& z)
      : wx_(sums.wx[half]),
        w_(sums.w[half]),
        all_x_(wx_[16] * z[2]),
        all_q_(w_[16] * z[2] * z[2]),
        middle_(z[0] * z[0] - z[1] * z[1]),
        high_(z[1] * z[1] - z[2] * z[2]) {}

  HWY_INLINE CutSums Of(size_t middle, size_t high) const {
    const FloatTag d;
    const FloatVec below = hn::Add(hn::Set(d, wx_[middle]), hn::LoadU(d, wx_ + high));
    const FloatVec low_q = hn::Set(d, all_q_ + w_[middle] * middle_);
    return {hn::Sub(hn::Set(d, all_x_), below),
            hn::Add(low_q, hn::Mul(hn::LoadU(d, w_ + high), hn::Set(d, high_)))};
  }

 private:
  const float* wx_;
  const float* w_;
  float all_x_;
  float all_q_;
  float middle_;
  float high_;
};

HWY_INLINE CutSums Both(const CutSums& first, const CutSums& second) {
  return {hn::Add(first.qx, second.qx), hn::Add(first.qq, second.qq)};
}

Iq1Split SplitM(const Iq1Sums& sums) {
  const HalfM first_up(sums, 0, kUp);
  const HalfM first_down(sums, 0, kDown);
  const HalfM second_up(sums, 1, kUp);
  const HalfM second_down(sums, 1, kDown);
  Iq1Best best;
  Offers<4> offers(best);
  for (size_t middle = 0; middle <= 16; ++middle) {
    for (size_t high = middle; high <= 16; high += kFloatLanes) {
      const CutSums up = first_up.Of(middle, high);
      const CutSums down = first_down.Of(middle, high);
      const CutSums then_up = second_up.Of(middle, high);
      const CutSums then_down = second_down.Of(middle, high);
      offers.Set(0, Both(up, then_up));
      offers.Set(1, Both(up, then_down));
      offers.Set(2, Both(down, then_up));
      offers.Set(3, Both(down, then_down));
      offers.Make(middle, high, std::min(kFloatLanes, 17 - high), {0, 2, 1, 3});
    }
  }
  return best.Split();
}

uint16_t Nearest(std::span<const uint16_t> near, const float* x, const float* w, float scale,
                 const Iq1Values& values) {
  const FloatTag d;
  const TwoBitSums errors([&](size_t i) HWY_ATTR {
    const auto level = [&](float value) HWY_ATTR {
      return ErrorOf(hn::Set(d, scale * value), hn::LoadU(d, x + i), hn::LoadU(d, w + i));
    };
    return FourColumns(level(values[0]), level(values[1]), level(values[2]));
  });
  return NearestPoint(errors, near);
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx {
namespace {

Iq1Kernels Kernels() {
  static constexpr auto kSort = LBRX_SIMD_TABLE(SortIq1Reference, Sort);
  static constexpr auto kSplitS = LBRX_SIMD_TABLE(SplitIq1SReference, SplitS);
  static constexpr auto kSplitM = LBRX_SIMD_TABLE(SplitIq1MReference, SplitM);
  static constexpr auto kNearest = LBRX_SIMD_TABLE(NearestIq1Reference, Nearest);
  return {kSort.Get(), kSplitS.Get(), kSplitM.Get(), kNearest.Get()};
}

}  // namespace

void EncodeIq1S(const EncodeJob& job) {
  EncodeIq1SWith(job, Kernels());
}

void EncodeIq1M(const EncodeJob& job) {
  EncodeIq1MWith(job, Kernels());
}

}  // namespace lbrx
#endif
