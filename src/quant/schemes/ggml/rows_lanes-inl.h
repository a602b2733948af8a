// Blocks one after another, their values in the lanes: for formats whose codes follow from a
// block's extremes alone. For files compiled per target (core/base/simd.h).
#if defined(LBRX_GGML_ROWS_LANES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LBRX_GGML_ROWS_LANES_INL_H
#undef LBRX_GGML_ROWS_LANES_INL_H
#else
#define LBRX_GGML_ROWS_LANES_INL_H
#endif

#include <cstddef>
#include <cstdint>

#include "core/base/simd.h"
#include "hwy/highway.h"
#include "quant/schemes/ggml/lanes-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
#if LBRX_SIMD

// The bits of values. Of their order as integers: magnitudes rise with it, and what is no number is
// beyond all others.
HWY_INLINE LaneIntVec BitsAt(const float* x) {
  return hn::BitCast(LaneIntTag(), hn::LoadU(LaneTag(), x));
}

// Where 1 / d is a usual number, or d is 0.
HWY_INLINE LaneMask UsualScales(LaneVec d) {
  const LaneTag tag;
  const LaneVec size = hn::Abs(d);
  const auto usual =
      hn::And(hn::Gt(size, hn::Set(tag, 0x1p-100F)), hn::Lt(size, hn::Set(tag, 0x1p100F)));
  return hn::Or(usual, hn::Eq(d, hn::Zero(tag)));
}

HWY_INLINE LaneVec InverseOrZeroLanes(LaneVec d) {
  const LaneTag tag;
  return hn::IfThenZeroElse(hn::Eq(d, hn::Zero(tag)), hn::Div(hn::Set(tag, 1.0F), d));
}

// ggml::NearestAway for numbers that are not large. What is added before they are cut is the number
// before one half: it makes ties go away from zero and changes no others.
HWY_INLINE LaneIntVec NearestAwayLanes(LaneVec value) {
  const LaneVec half = hn::Set(LaneTag(), 0x1.FFFFFEp-2F);
  return hn::ConvertTo(LaneIntTag(), hn::Add(value, hn::CopySign(half, value)));
}

// The largest of each of kLanes rows of kLanes, a row's in each lane.
template <typename Tag>
HWY_INLINE hn::Vec<Tag> MaximaOfRows(Tag d, const hn::TFromD<Tag>* rows) {
  using T = hn::TFromD<Tag>;
  const hn::Repartition<uint64_t, Tag> pairs;
  const hn::Full128<T> four;
  const auto two = [&](size_t row) HWY_ATTR {
    const auto a = hn::Load(d, rows + row * kLanes);
    const auto b = hn::Load(d, rows + (row + 1) * kLanes);
    return hn::BitCast(pairs, hn::Max(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b)));
  };
  HWY_ALIGN T maxima[kLanes];
  for (size_t row = 0; row < kLanes; row += 4) {
    const auto ab = two(row);
    const auto cd = two(row + 2);
    const auto lower = hn::BitCast(d, hn::InterleaveLower(pairs, ab, cd));
    const auto upper = hn::BitCast(d, hn::InterleaveUpper(pairs, ab, cd));
    HWY_ALIGN T parts[kLanes];  // of the four rows, side by side
    hn::Store(hn::Max(lower, upper), d, parts);
    auto most = hn::Load(four, parts);
    for (size_t i = 4; i < kLanes; i += 4) {
      most = hn::Max(most, hn::Load(four, parts + i));
    }
    hn::Store(most, four, maxima + row);
  }
  return hn::Load(d, maxima);
}

// Integers from 0 to 255 as a byte each.
HWY_INLINE void StoreBytes(LaneIntVec integers, uint8_t* out) {
  const hn::Rebind<uint8_t, LaneIntTag> bytes;
  hn::StoreU(hn::DemoteTo(bytes, integers), bytes, out);
}

#endif
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
