// Vectors of up to eight floats, read from and written to F32, BF16 and F16: bit for bit what
// convert_scalar.h does. For files compiled per target (core/base/simd.h).
#if defined(LBRX_FLOAT_LANES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LBRX_FLOAT_LANES_INL_H
#undef LBRX_FLOAT_LANES_INL_H
#else
#define LBRX_FLOAT_LANES_INL_H
#endif

#include <cstddef>
#include <cstdint>

#include "core/base/simd.h"
#include "core/tensor/dtype.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
#if LBRX_SIMD

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::CappedTag<float, 8>;
using IntTag = hn::RebindToSigned<FloatTag>;
using BitsTag = hn::RebindToUnsigned<FloatTag>;
using HalfBitsTag = hn::Rebind<uint16_t, FloatTag>;           // as many lanes as FloatTag
using WideHalfBitsTag = hn::Repartition<uint16_t, FloatTag>;  // twice as many
using FloatVec = hn::Vec<FloatTag>;
using IntVec = hn::Vec<IntTag>;
using BitsVec = hn::Vec<BitsTag>;

inline constexpr size_t kFloatLanes = hn::MaxLanes(FloatTag());

template <DType kType>
inline constexpr size_t kValueBytes = kType == DType::kF32 ? 4 : 2;

// The lanes from element `i` on, in order.
template <DType kType>
HWY_INLINE FloatVec ReadLanes(const std::byte* values, size_t i) {
  const FloatTag d;
  if constexpr (kType == DType::kF32) {
    return hn::LoadU(d, reinterpret_cast<const float*>(values) + i);
  } else {
    const auto halves = hn::LoadU(HalfBitsTag(), reinterpret_cast<const uint16_t*>(values) + i);
    if constexpr (kType == DType::kBF16) {
      return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(BitsTag(), halves)));
    } else {
      return hn::PromoteTo(d, hn::BitCast(hn::Rebind<hwy::float16_t, FloatTag>(), halves));
    }
  }
}

// Twice as many elements, in the order that ReorderDemote2To takes back: on 256 bits `even` gets
// elements 0-3 and 8-11, `odd` the others; on 128 bits the first and the second four.
template <DType kType>
HWY_INLINE void ReadLanePair(const std::byte* values, size_t i, FloatVec& even, FloatVec& odd) {
  const FloatTag d;
  if constexpr (kType == DType::kBF16) {
    const WideHalfBitsTag d16;
    const auto halves = hn::LoadU(d16, reinterpret_cast<const uint16_t*>(values) + i);
    const auto zero = hn::Zero(d16);
    even = hn::BitCast(d, hn::InterleaveLower(d16, zero, halves));
    odd = hn::BitCast(d, hn::InterleaveUpper(d16, zero, halves));
  } else {  // one 128-bit block holds four floats
    const FloatVec first = ReadLanes<kType>(values, i);
    const FloatVec second = ReadLanes<kType>(values, i + kFloatLanes);
    if constexpr (kFloatLanes == 8) {
      even = hn::ConcatLowerLower(d, second, first);
      odd = hn::ConcatUpperUpper(d, second, first);
    } else {
      even = first;
      odd = second;
    }
  }
}

// f32 bits whose upper half is the value rounded to BF16, nearest even; the lower half is garbage.
// NaN (kNan: where there may be one) keeps its upper bits and becomes quiet.
template <bool kNan = true>
HWY_INLINE BitsVec BF16InUpperHalf(FloatVec value) {
  const BitsTag d;
  const BitsVec bits = hn::BitCast(d, value);
  const BitsVec odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d, 1));
  const BitsVec rounded = hn::Add(bits, hn::Add(hn::Set(d, 0x7FFF), odd));
  if constexpr (kNan) {
    const BitsVec quiet = hn::Or(bits, hn::Set(d, 0x400000));
    return hn::IfThenElse(hn::RebindMask(d, hn::IsNaN(value)), quiet, rounded);
  } else {
    return rounded;
  }
}

// Rounded to `kType`, as float.
template <DType kType, bool kNan = true>
HWY_INLINE FloatVec RoundLanes(FloatVec value) {
  if constexpr (kType == DType::kBF16) {
    const BitsVec upper = hn::Set(BitsTag(), 0xFFFF0000);
    return hn::BitCast(FloatTag(), hn::And(BF16InUpperHalf<kNan>(value), upper));
  } else if constexpr (kType == DType::kF16) {
    return hn::PromoteTo(FloatTag(), hn::DemoteTo(hn::Rebind<hwy::float16_t, FloatTag>(), value));
  } else {
    return value;
  }
}

// Rounds and writes lanes from element `i` on.
template <DType kType, bool kNan = true>
HWY_INLINE void WriteLanes(FloatVec value, std::byte* values, size_t i) {
  if constexpr (kType == DType::kF32) {
    hn::StoreU(value, FloatTag(), reinterpret_cast<float*>(values) + i);
  } else {
    auto* out = reinterpret_cast<uint16_t*>(values) + i;
    const HalfBitsTag d16;
    if constexpr (kType == DType::kBF16) {
      const BitsVec bits = hn::ShiftRight<16>(BF16InUpperHalf<kNan>(value));
      hn::StoreU(hn::DemoteTo(d16, hn::BitCast(IntTag(), bits)), d16, out);
    } else {
      const auto half = hn::DemoteTo(hn::Rebind<hwy::float16_t, FloatTag>(), value);
      hn::StoreU(hn::BitCast(d16, half), d16, out);
    }
  }
}

// The reverse of ReadLanePair, with rounding.
template <DType kType, bool kNan = true>
HWY_INLINE void WriteLanePair(FloatVec even, FloatVec odd, std::byte* values, size_t i) {
  const FloatTag d;
  if constexpr (kType == DType::kBF16) {
    // As signed numbers the upper halves fit 16 bits, so that no saturation happens.
    const hn::Repartition<int16_t, FloatTag> d16;
    const IntVec a = hn::ShiftRight<16>(hn::BitCast(IntTag(), BF16InUpperHalf<kNan>(even)));
    const IntVec b = hn::ShiftRight<16>(hn::BitCast(IntTag(), BF16InUpperHalf<kNan>(odd)));
    hn::StoreU(hn::ReorderDemote2To(d16, a, b), d16, reinterpret_cast<int16_t*>(values) + i);
  } else if constexpr (kFloatLanes == 8) {
    WriteLanes<kType>(hn::ConcatLowerLower(d, odd, even), values, i);
    WriteLanes<kType>(hn::ConcatUpperUpper(d, odd, even), values, i + kFloatLanes);
  } else {
    WriteLanes<kType>(even, values, i);
    WriteLanes<kType>(odd, values, i + kFloatLanes);
  }
}

#endif
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
