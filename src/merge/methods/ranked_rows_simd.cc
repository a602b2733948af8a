// The loops of ranked rows, on vectors of eight elements.
#include "core/base/simd.h"
#include "merge/methods/ranked_rows.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "merge/methods/ranked_rows_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h.
#include "core/tensor/float_lanes-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

HWY_INLINE BitsVec Magnitudes(const float* row) {
  const BitsTag d;
  return hn::And(hn::BitCast(d, hn::LoadU(FloatTag(), row)), hn::Set(d, 0x7FFFFFFF));
}

uint32_t Largest(const float* row, size_t count) {
  const BitsTag d;
  BitsVec largest = hn::Zero(d);
  size_t i = 0;
  for (; i + kFloatLanes <= count; i += kFloatLanes) {
    largest = hn::Max(largest, Magnitudes(row + i));
  }
  const uint32_t vector = hn::GetLane(hn::MaxOfLanes(d, largest));
  const uint32_t rest = kReferenceRankedRowOps.largest(row + i, count - i);
  return vector < rest ? rest : vector;
}

void Bucket(const float* row, size_t count, int shift, uint32_t base, uint32_t* buckets) {
  const BitsTag d;
  const BitsVec bases = hn::Set(d, base);
  size_t i = 0;
  for (; i + kFloatLanes <= count; i += kFloatLanes) {
    const BitsVec upper = hn::ShiftRightSame(Magnitudes(row + i), shift);
    hn::StoreU(hn::Sub(hn::Max(upper, bases), bases), d, buckets + i);
  }
  kReferenceRankedRowOps.bucket(row + i, count - i, shift, base, buckets + i);
}

HWY_INLINE BitsVec Look(const uint32_t* table, const uint32_t* buckets) {
  return hn::GatherIndex(BitsTag(), table, hn::BitCast(IntTag(), hn::LoadU(BitsTag(), buckets)));
}

size_t FindOpen(const float* row, size_t count, const RankedRows::Scratch& scratch,
                uint32_t* open) {
  const BitsTag d;
  const uint32_t* draws = scratch.draws.data();
  const uint32_t* buckets = scratch.buckets.data();
  size_t found = 0;
  size_t i = 0;
  for (; i + kFloatLanes <= count; i += kFloatLanes) {
    const BitsVec draw = hn::LoadU(d, draws + i);
    const auto above = hn::Gt(draw, Look(scratch.surely.data(), buckets + i));
    const auto beyond = hn::Gt(draw, Look(scratch.perhaps.data(), buckets + i));
    const auto zero = hn::Eq(Magnitudes(row + i), hn::Zero(d));
    const auto is_open = hn::AndNot(hn::Or(beyond, zero), above);
    // Bit by bit: they are few, and Highway's Compress is slow here.
    uint8_t lanes[8] = {};
    hn::StoreMaskBits(d, is_open, lanes);
    for (unsigned left = lanes[0]; left != 0; left &= left - 1) {
      open[found++] = static_cast<uint32_t>(i) + static_cast<uint32_t>(__builtin_ctz(left));
    }
  }
  for (; i < count; ++i) {
    const uint32_t bucket = buckets[i];
    open[found] = static_cast<uint32_t>(i);
    found +=
        draws[i] > scratch.surely[bucket] && draws[i] <= scratch.perhaps[bucket] && row[i] != 0;
  }
  return found;
}

void KeepSure(const RankedRows::Scratch& scratch, size_t count, float* row) {
  const BitsTag d;
  const uint32_t* draws = scratch.draws.data();
  const uint32_t* buckets = scratch.buckets.data();
  size_t i = 0;
  for (; i + kFloatLanes <= count; i += kFloatLanes) {
    const auto above = hn::Gt(hn::LoadU(d, draws + i), Look(scratch.surely.data(), buckets + i));
    const BitsVec value = hn::BitCast(d, hn::LoadU(FloatTag(), row + i));
    hn::StoreU(hn::BitCast(FloatTag(), hn::IfThenZeroElse(above, value)), FloatTag(), row + i);
  }
  for (; i < count; ++i) {
    row[i] = draws[i] <= scratch.surely[buckets[i]] ? row[i] : 0.0F;
  }
}

size_t CountAtMost(const float* row, size_t count, int32_t magnitude) {
  const IntTag d;
  const IntVec limit = hn::Set(d, magnitude);
  IntVec above = hn::Zero(d);  // less their number, in each lane
  size_t i = 0;
  for (; i + kFloatLanes <= count; i += kFloatLanes) {
    above = hn::Add(above, hn::VecFromMask(d, hn::Gt(hn::BitCast(d, Magnitudes(row + i)), limit)));
  }
  const auto found =
      static_cast<size_t>(static_cast<int64_t>(i) + hn::GetLane(hn::SumOfLanes(d, above)));
  return found + kReferenceRankedRowOps.count_at_most(row + i, count - i, magnitude);
}

const RankedRowOps* Ops() {
  static constexpr RankedRowOps kOps = {Largest, Bucket, FindOpen, KeepSure, CountAtMost};
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

const RankedRowOps* ReferenceOps() {
  return &kReferenceRankedRowOps;
}

}  // namespace

const RankedRowOps& FastRankedRowOps() {
  static constexpr auto kTable = LBRX_SIMD_TABLE(ReferenceOps, Ops);
  return *kTable.Get()();
}

}  // namespace lbrx
#endif
