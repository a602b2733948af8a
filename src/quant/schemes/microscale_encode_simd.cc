// The floating modes on vectors, chunk by chunk: largest magnitude of each group; scale and factor
// across groups; codes as bytes; packed bits. Equal to microscale.cc bit for bit.
#include <algorithm>
#include <array>
#include <cstring>

#include "core/base/simd.h"
#include "quant/schemes/microscale.h"
#include "quant/schemes/with_type.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/schemes/microscale_encode_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h.
#include "core/tensor/float_lanes-inl.h"
#include "quant/schemes/codes-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

constexpr size_t kChunkGroups = 64;
constexpr size_t kMaxGroup = 32;
constexpr size_t kMaxChunk = kChunkGroups * kMaxGroup;

// Groups whose largest magnitude lies outside are left to the reference: below, f32 subnormals play
// a part; above, nvfp4 on a CPU compares distances that f32 cannot tell apart. Zero is inside.
constexpr float kLeastMagnitude = 0x1p-90F;
constexpr float kMostMagnitude = 0x1p29F;

struct Fits {
  alignas(32) float amax[kChunkGroups];
  alignas(32) float factor[kChunkGroups];
};

template <DType kType>
HWY_INLINE void EightMagnitudes(const std::byte* values, size_t group, float* amax) {
  const WideHalfBitsTag d;
  const hn::Full128<uint16_t> d8;
  const auto magnitude = hn::Set(d, 0x7FFF);
  hn::Vec<decltype(d8)> top[8];
  for (size_t g = 0; g < 8; ++g) {
    const auto* in = reinterpret_cast<const uint16_t*>(values) + g * group;
    auto a = hn::And(hn::LoadU(d, in), magnitude);
    for (size_t i = hn::Lanes(d); i < group; i += hn::Lanes(d)) {
      a = hn::Max(a, hn::And(hn::LoadU(d, in + i), magnitude));
    }
    top[g] = FoldBlocks<MaxOf>(a);
  }
  alignas(16) std::byte largest[16];
  hn::Store(MergeBlocks<MaxOf>(top), d8, reinterpret_cast<uint16_t*>(largest));
  for (size_t i = 0; i < 8; i += kFloatLanes) {
    hn::StoreU(ReadLanes<kType>(largest, i), FloatTag(), amax + i);
  }
}

template <>
HWY_INLINE void EightMagnitudes<DType::kF32>(const std::byte* values, size_t group, float* amax) {
  const hn::Full128<float> d4;
  for (size_t half = 0; half < 8; half += 4) {
    hn::Vec<decltype(d4)> top[4];
    for (size_t g = 0; g < 4; ++g) {
      const std::byte* in = values + (half + g) * group * sizeof(float);
      FloatVec a = hn::Abs(ReadLanes<DType::kF32>(in, 0));
      for (size_t i = kFloatLanes; i < group; i += kFloatLanes) {
        a = hn::Max(a, hn::Abs(ReadLanes<DType::kF32>(in, i)));
      }
      top[g] = FoldBlocks<MaxOf>(a);
    }
    hn::StoreU(MergeBlocks<MaxOf>(top), d4, amax + half);
  }
}

// Whether a group belongs to the reference.
HWY_INLINE bool AnyOutside(const float* amax) {
  const FloatTag d;
  auto outside = hn::Lt(hn::Zero(d), hn::Zero(d));
  for (size_t g = 0; g < kChunkGroups; g += kFloatLanes) {
    const FloatVec v = hn::Load(d, amax + g);
    const auto small = hn::And(hn::Lt(v, hn::Set(d, kLeastMagnitude)), hn::Gt(v, hn::Zero(d)));
    outside = hn::Or(outside, hn::Or(small, hn::Ge(v, hn::Set(d, kMostMagnitude))));
  }
  return !hn::AllFalse(d, outside);
}

HWY_INLINE BitsVec SignBits(FloatVec v) {
  return hn::And(hn::BitCast(BitsTag(), v), hn::Set(BitsTag(), 0x80000000));
}

// Magnitude codes of a small float with kMantissa mantissa bits and exponent bias kBias, rounded to
// nearest even; see RoundMagnitude in convert_scalar.h. `magnitude` is at most the format's
// largest.
template <int kMantissa, int kBias>
HWY_INLINE BitsVec RoundEven(FloatVec magnitude) {
  const BitsTag d;
  const FloatTag df;
  constexpr int kShift = 23 - kMantissa;
  const BitsVec bits = hn::BitCast(d, magnitude);
  const BitsVec odd = hn::And(hn::ShiftRight<kShift>(bits), hn::Set(d, 1));
  const BitsVec half = hn::Add(hn::Set(d, (1U << (kShift - 1)) - 1), odd);
  const BitsVec rebias = hn::Set(d, static_cast<uint32_t>(127 - kBias) << kMantissa);
  const BitsVec normal = hn::Sub(hn::ShiftRight<kShift>(hn::Add(bits, half)), rebias);
  // 2^23 steps of the subnormals: adding them makes the FPU round to a step.
  const BitsVec magic = hn::Set(d, static_cast<uint32_t>(128 - kBias + kShift) << 23);
  const FloatVec sum = hn::Add(magnitude, hn::BitCast(df, magic));
  const BitsVec small = hn::Sub(hn::BitCast(d, sum), magic);
  const BitsVec least = hn::Set(d, static_cast<uint32_t>(128 - kBias) << 23);
  const auto is_small = hn::RebindMask(d, hn::Lt(magnitude, hn::BitCast(df, least)));
  return hn::IfThenElse(is_small, small, normal);
}

HWY_INLINE BitsVec ToE4M3(FloatVec v) {
  const FloatVec magnitude = hn::Min(hn::Abs(v), hn::Set(FloatTag(), 448.0F));
  return hn::Or(RoundEven<3, 7>(magnitude), hn::ShiftRight<24>(SignBits(v)));
}

HWY_INLINE BitsVec ToE2M1Even(FloatVec v) {
  const FloatVec magnitude = hn::Min(hn::Abs(v), hn::Set(FloatTag(), 6.0F));
  return hn::Or(RoundEven<1, 1>(magnitude), hn::ShiftRight<28>(SignBits(v)));
}

// Ties toward zero; whatever rounds to zero is +0.
HWY_INLINE BitsVec ToE2M1Nearest(FloatVec v) {
  const BitsTag d;
  const FloatTag df;
  const FloatVec magnitude = hn::Min(hn::Abs(v), hn::Set(df, 6.0F));
  const BitsVec below_half = hn::Set(d, 0x1FFFFF);
  const BitsVec rounded = hn::ShiftRight<22>(hn::Add(hn::BitCast(d, magnitude), below_half));
  const BitsVec normal = hn::Sub(rounded, hn::Set(d, 126 << 1));
  // Below 1 there are 0, 1/2 and 1, with their ties at 1/4 and 3/4.
  const auto above = [d, magnitude](float tie) HWY_ATTR {
    const auto mask = hn::RebindMask(d, hn::Gt(magnitude, hn::Set(FloatTag(), tie)));
    return hn::IfThenElseZero(mask, hn::Set(d, 1));
  };
  const BitsVec small = hn::Add(above(0.25F), above(0.75F));
  const auto is_small = hn::RebindMask(d, hn::Lt(magnitude, hn::Set(df, 1.0F)));
  const BitsVec code = hn::IfThenElse(is_small, small, normal);
  const BitsVec sign = hn::ShiftRight<28>(SignBits(v));
  return hn::Or(code, hn::IfThenZeroElse(hn::Eq(code, hn::Zero(d)), sign));
}

// The smallest power of two that is at least `ratio` (normal or zero), as E8M0.
HWY_INLINE BitsVec CeilE8M0(FloatVec ratio) {
  const BitsTag d;
  return hn::ShiftRight<23>(hn::Add(hn::BitCast(d, ratio), hn::Set(d, 0x7FFFFF)));
}

HWY_INLINE FloatVec FromE4M3(BitsVec code) {  // not negative, not NaN
  const BitsTag d;
  const FloatTag df;
  const FloatVec small =
      hn::Mul(hn::ConvertTo(df, hn::BitCast(IntTag(), code)), hn::Set(df, 0x1p-9F));
  const BitsVec normal = hn::Add(hn::ShiftLeft<20>(code), hn::Set(d, 120U << 23));
  const auto is_small = hn::RebindMask(df, hn::Lt(code, hn::Set(d, 8)));
  return hn::IfThenElse(is_small, small, hn::BitCast(df, normal));
}

// See FitMicroscale. Returns the scales' bytes.
template <Scheme kScheme, DType kType, MlxRule kRule>
HWY_INLINE BitsVec FitLanes(FloatVec amax, FloatVec& factor) {
  constexpr bool kMetal = kRule == MlxRule::kMetal;
  const FloatTag df;
  const BitsTag d;
  const FloatVec one = hn::Set(df, 1.0F);
  FloatVec ratio = hn::Div(amax, hn::Set(df, kScheme == Scheme::kMxfp8 ? 448.0F : 6.0F));
  if constexpr (!kMetal) {
    ratio = RoundLanes<kType, false>(ratio);
  }
  if constexpr (kScheme == Scheme::kNvfp4) {
    const BitsVec byte = ToE4M3(ratio);
    const auto zero = hn::RebindMask(df, hn::Eq(byte, hn::Zero(d)));
    const FloatVec value = FromE4M3(byte);
    // A zero scale gives zero codes: times 0, or divided by infinity.
    factor = kMetal ? hn::IfThenZeroElse(zero, hn::Div(one, value))
                    : hn::IfThenElse(zero, hn::Inf(df), value);
    return byte;
  } else {
    const BitsVec byte = CeilE8M0(ratio);
    const auto zero = hn::Eq(ratio, hn::Zero(df));
    if constexpr (kMetal) {  // multiplied with 2^-exponent
      const BitsVec inverse = hn::ShiftLeft<23>(hn::Sub(hn::Set(d, 254), byte));
      factor = hn::IfThenZeroElse(zero, hn::BitCast(df, inverse));
      return byte;
    } else {
      factor = hn::IfThenElse(zero, one, hn::BitCast(df, hn::ShiftLeft<23>(byte)));
      return hn::IfThenElse(hn::RebindMask(d, zero), hn::Set(d, 127), byte);
    }
  }
}

template <Scheme kScheme, DType kType, MlxRule kRule>
HWY_INLINE IntVec CodeLanes(FloatVec v, FloatVec factor) {
  BitsVec code;
  if constexpr (kRule == MlxRule::kMetal) {
    const FloatVec scaled = hn::Mul(v, factor);
    code = kScheme == Scheme::kMxfp8 ? ToE4M3(scaled) : ToE2M1Even(scaled);
  } else {
    const FloatVec scaled = RoundLanes<kType, false>(hn::Div(v, factor));
    code = kScheme == Scheme::kMxfp8 ? ToE4M3(scaled) : ToE2M1Nearest(scaled);
  }
  return hn::BitCast(IntTag(), code);
}

// kChunkGroups groups. Writes kPackSlack bytes beyond the codes.
template <Scheme kScheme, DType kType, MlxRule kRule>
void EncodeChunk(const Encoding& encoding, const std::byte* values,
                 const PlanePointers<2>& planes) {
  constexpr size_t kGroup = kScheme == Scheme::kNvfp4 ? 16 : 32;
  const FloatTag d;
  Fits fits;
  alignas(32) uint8_t codes[kMaxChunk];
  for (size_t g = 0; g < kChunkGroups; g += 8) {
    EightMagnitudes<kType>(values + g * kGroup * kValueBytes<kType>, kGroup, fits.amax + g);
  }
  if (AnyOutside(fits.amax)) {
    EncodeMicroscaleReference({encoding, {kRule}, values, kChunkGroups * kGroup, planes});
    return;
  }
  for (size_t g = 0; g < kChunkGroups; g += kFloatLanes) {
    FloatVec factor;
    const BitsVec bytes = FitLanes<kScheme, kType, kRule>(hn::Load(d, fits.amax + g), factor);
    hn::Store(factor, d, fits.factor + g);
    const hn::Rebind<uint8_t, FloatTag> d8;
    hn::StoreU(hn::DemoteTo(d8, hn::BitCast(IntTag(), bytes)), d8,
               reinterpret_cast<uint8_t*>(planes[1]) + g);
  }
  for (size_t g = 0; g < kChunkGroups; ++g) {
    const FloatVec factor = hn::Set(d, fits.factor[g]);
    for (size_t i = g * kGroup; i < (g + 1) * kGroup; i += 2 * kFloatLanes) {
      FloatVec even;
      FloatVec odd;
      ReadLanePair<kType>(values, i, even, odd);
      StoreBytes(CodeLanes<kScheme, kType, kRule>(even, factor),
                 CodeLanes<kScheme, kType, kRule>(odd, factor), codes + i);
    }
  }
  PackBytes<kScheme == Scheme::kMxfp8 ? 8 : 4>(codes, kChunkGroups * kGroup, planes[0]);
}

template <Scheme kScheme>
void EncodeAs(const EncodeJob& job) {
  WithTypeAndRule(job, [&](auto type, auto rule) {
    EncodeChunks<kChunkGroups, kMaxGroup, 2>(
        job, [&](const std::byte* values, const PlanePointers<2>& planes) {
          EncodeChunk<kScheme, type, rule>(job.encoding, values, planes);
        });
  });
}

void Encode(const EncodeJob& job) {
  switch (job.encoding.scheme) {
    case Scheme::kMxfp4:
      return EncodeAs<Scheme::kMxfp4>(job);
    case Scheme::kMxfp8:
      return EncodeAs<Scheme::kMxfp8>(job);
    default:
      return EncodeAs<Scheme::kNvfp4>(job);
  }
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx {

void EncodeMicroscale(const EncodeJob& job) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(EncodeMicroscaleReference, Encode);
  kTable.Get()(job);
}

}  // namespace lbrx
#endif
