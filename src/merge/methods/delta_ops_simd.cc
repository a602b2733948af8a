// The operations on task vectors, on vectors of eight floats.
#include "core/base/simd.h"
#include "merge/methods/delta_ops.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "merge/methods/delta_ops_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h.
#include "core/tensor/float_lanes-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

// Whole vectors; returns how many elements they were, a multiple of 8. The caller does the rest.
size_t Whole(size_t count) {
  return count / 8 * 8;
}

void Subtract(const float* a, const float* b, size_t count, float* out) {
  const FloatTag d;
  const size_t whole = Whole(count);
  for (size_t i = 0; i < whole; i += kFloatLanes) {
    hn::StoreU(hn::Sub(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, out + i);
  }
  kReferenceDeltaOps.subtract(a + whole, b + whole, count - whole, out + whole);
}

void Add(const float* others, float* values, size_t count) {
  const FloatTag d;
  const size_t whole = Whole(count);
  for (size_t i = 0; i < whole; i += kFloatLanes) {
    hn::StoreU(hn::Add(hn::LoadU(d, others + i), hn::LoadU(d, values + i)), d, values + i);
  }
  kReferenceDeltaOps.add(others + whole, values + whole, count - whole);
}

void Scale(float factor, float* values, size_t count) {
  const FloatTag d;
  const size_t whole = Whole(count);
  const FloatVec factors = hn::Set(d, factor);
  for (size_t i = 0; i < whole; i += kFloatLanes) {
    hn::StoreU(hn::Mul(hn::LoadU(d, values + i), factors), d, values + i);
  }
  kReferenceDeltaOps.scale(factor, values + whole, count - whole);
}

void KeepRange(MagnitudeRange range, float* values, size_t count) {
  const FloatTag d;
  const IntTag di;
  const size_t whole = Whole(count);
  const IntVec first = hn::Set(di, range.first);
  const IntVec last = hn::Set(di, range.last);
  const IntVec without_sign = hn::Set(di, 0x7FFFFFFF);
  for (size_t i = 0; i < whole; i += kFloatLanes) {
    const IntVec value = hn::BitCast(di, hn::LoadU(d, values + i));
    const IntVec magnitude = hn::And(value, without_sign);
    const IntVec outside = hn::Or(hn::VecFromMask(di, hn::Gt(first, magnitude)),
                                  hn::VecFromMask(di, hn::Gt(magnitude, last)));
    hn::StoreU(hn::BitCast(d, hn::AndNot(outside, value)), d, values + i);
  }
  kReferenceDeltaOps.keep_range(range, values + whole, count - whole);
}

void KeepDrawn(const uint32_t* draws, uint32_t last, float* values, size_t count) {
  const FloatTag d;
  const BitsTag bits;
  const size_t whole = Whole(count);
  const BitsVec lasts = hn::Set(bits, last);
  for (size_t i = 0; i < whole; i += kFloatLanes) {
    const auto above = hn::Gt(hn::LoadU(bits, draws + i), lasts);
    const BitsVec value = hn::BitCast(bits, hn::LoadU(d, values + i));
    hn::StoreU(hn::BitCast(d, hn::IfThenZeroElse(above, value)), d, values + i);
  }
  kReferenceDeltaOps.keep_drawn(draws + whole, last, values + whole, count - whole);
}

void AddMagnitudes(const float* values, size_t count, SumLanes& lanes) {
  const hn::Half<FloatTag> half;
  const hn::Repartition<double, FloatTag> wide;
  constexpr size_t kHalf = kFloatLanes / 2;
  constexpr size_t kVectors = 8 / kHalf;
  hn::Vec<decltype(wide)> sums[kVectors];
  for (size_t v = 0; v < kVectors; ++v) {
    sums[v] = hn::LoadU(wide, lanes.data() + v * kHalf);
  }
  const size_t whole = Whole(count);
  for (size_t i = 0; i < whole; i += 8) {
    HWY_UNROLL(4)
    for (size_t v = 0; v < kVectors; ++v) {
      const auto value = hn::PromoteTo(wide, hn::LoadU(half, values + i + v * kHalf));
      sums[v] = hn::Add(sums[v], hn::Abs(value));
    }
  }
  for (size_t v = 0; v < kVectors; ++v) {
    hn::StoreU(sums[v], wide, lanes.data() + v * kHalf);
  }
  kReferenceDeltaOps.add_magnitudes(values + whole, count - whole, lanes);
}

Vote From(const Vote& vote, size_t i) {
  return {vote.values + i, vote.stride, vote.weights, vote.members};
}

HWY_INLINE FloatVec SumAt(const Vote& vote, size_t i) {
  const FloatTag d;
  FloatVec sum = hn::Zero(d);
  for (size_t m = 0; m < vote.members; ++m) {
    sum = hn::Add(sum, hn::LoadU(d, vote.values + m * vote.stride + i));
  }
  return sum;
}

// A value wins where it is above 0 once its sign is turned where the negative ones win.
HWY_INLINE FloatVec TurnAt(const Vote& vote, size_t i) {
  const FloatTag d;
  const auto positive = hn::Ge(SumAt(vote, i), hn::Zero(d));
  return hn::IfThenZeroElse(positive, hn::Set(d, -0.0F));
}

HWY_INLINE hn::Mask<FloatTag> Wins(FloatVec value, FloatVec turn) {
  return hn::Gt(hn::Xor(value, turn), hn::Zero(FloatTag()));
}

void Elect(const Vote& vote, size_t count, float* sums, float* weights) {
  const FloatTag d;
  const size_t whole = Whole(count);
  for (size_t i = 0; i < whole; i += kFloatLanes) {
    const FloatVec turn = TurnAt(vote, i);
    FloatVec sum = hn::Zero(d);
    FloatVec weight = hn::Zero(d);
    for (size_t m = 0; m < vote.members; ++m) {
      const FloatVec value = hn::LoadU(d, vote.values + m * vote.stride + i);
      const auto wins = Wins(value, turn);
      sum = hn::Add(sum, hn::IfThenElseZero(wins, value));
      weight = hn::Add(weight, hn::IfThenElseZero(wins, hn::Set(d, vote.weights[m])));
    }
    hn::StoreU(sum, d, sums + i);
    hn::StoreU(weight, d, weights + i);
  }
  kReferenceDeltaOps.elect(From(vote, whole), count - whole, sums + whole, weights + whole);
}

void KeepWinners(const Vote& vote, size_t count) {
  const FloatTag d;
  const size_t whole = Whole(count);
  for (size_t i = 0; i < whole; i += kFloatLanes) {
    const FloatVec turn = TurnAt(vote, i);
    for (size_t m = 0; m < vote.members; ++m) {
      float* values = vote.values + m * vote.stride + i;
      const FloatVec value = hn::LoadU(d, values);
      hn::StoreU(hn::IfThenElseZero(Wins(value, turn), value), d, values);
    }
  }
  kReferenceDeltaOps.keep_winners(From(vote, whole), count - whole);
}

void Variance(const Vote& vote, size_t count, float* variances) {
  const hn::Half<FloatTag> half;
  const hn::Repartition<double, FloatTag> wide;
  const size_t whole = Whole(count);
  const auto members = hn::Set(wide, static_cast<double>(vote.members));
  for (size_t i = 0; i < whole; i += hn::Lanes(wide)) {
    const auto value = [&](size_t m) HWY_ATTR {
      return hn::PromoteTo(wide, hn::LoadU(half, vote.values + m * vote.stride + i));
    };
    auto sum = hn::Zero(wide);
    for (size_t m = 0; m < vote.members; ++m) {
      sum = hn::Add(sum, value(m));
    }
    const auto mean = hn::Div(sum, members);
    auto squares = hn::Zero(wide);
    for (size_t m = 0; m < vote.members; ++m) {
      const auto off = hn::Sub(value(m), mean);
      squares = hn::Add(squares, hn::Mul(off, off));
    }
    hn::StoreU(hn::DemoteTo(half, hn::Div(squares, members)), half, variances + i);
  }
  kReferenceDeltaOps.variance(From(vote, whole), count - whole, variances + whole);
}

void Sum(const Vote& vote, size_t count, float* sums) {
  const size_t whole = Whole(count);
  for (size_t i = 0; i < whole; i += kFloatLanes) {
    hn::StoreU(SumAt(vote, i), FloatTag(), sums + i);
  }
  kReferenceDeltaOps.sum(From(vote, whole), count - whole, sums + whole);
}

void Divide(const float* divisors, float* values, size_t count) {
  const FloatTag d;
  const size_t whole = Whole(count);
  for (size_t i = 0; i < whole; i += kFloatLanes) {
    const FloatVec divisor = hn::LoadU(d, divisors + i);
    const FloatVec safe = hn::IfThenElse(hn::Eq(divisor, hn::Zero(d)), hn::Set(d, 1.0F), divisor);
    hn::StoreU(hn::Div(hn::LoadU(d, values + i), safe), d, values + i);
  }
  kReferenceDeltaOps.divide(divisors + whole, values + whole, count - whole);
}

const DeltaOps* Ops() {
  static constexpr DeltaOps kOps = {Subtract,  Add,           Scale, KeepRange,
                                    KeepDrawn, AddMagnitudes, Elect, KeepWinners,
                                    Variance,  Sum,           Divide};
  return &kOps;
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx {
namespace {

const DeltaOps* ReferenceOps() {
  return &kReferenceDeltaOps;
}

}  // namespace

const DeltaOps& FastDeltaOps() {
  static constexpr auto kTable = LBRX_SIMD_TABLE(ReferenceOps, Ops);
  return *kTable.Get()();
}

}  // namespace lbrx
#endif
