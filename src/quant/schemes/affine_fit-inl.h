// MLX's affine scales, biases and codes on vectors. Divisions are real ones and nothing is fused.
// For files compiled per target (core/base/simd.h).
#if defined(LBRX_AFFINE_FIT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LBRX_AFFINE_FIT_INL_H
#undef LBRX_AFFINE_FIT_INL_H
#else
#define LBRX_AFFINE_FIT_INL_H
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/base/simd.h"
#include "core/tensor/float_lanes-inl.h"
#include "hwy/highway.h"
#include "quant/schemes/affine.h"
#include "quant/schemes/codes-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
#if LBRX_SIMD

inline constexpr size_t kAffineChunk = 32;  // groups
inline constexpr size_t kMaxAffineGroup = 128;

// The float before 1/2: for x >= 0, trunc(x + kBeforeHalf) rounds half away from zero.
inline constexpr float kBeforeHalf = 0x1.fffffep-2F;

template <MlxRule kRule>
HWY_INLINE FloatVec RoundToInteger(FloatVec v) {
  if constexpr (kRule == MlxRule::kCpu) {
    return hn::Round(v);
  } else {
    const FloatVec magnitude = hn::Add(hn::Abs(v), hn::Set(FloatTag(), kBeforeHalf));
    return hn::CopySign(hn::Trunc(magnitude), v);
  }
}

// Subnormals as zero. The sign of a zero has no effect here.
HWY_INLINE FloatVec Flush(FloatVec v) {
  const auto least = hn::Set(FloatTag(), 0x1p-126F);
  return hn::IfThenZeroElse(hn::Lt(hn::Abs(v), least), v);
}

// See FitAffine.
template <MlxRule kRule>
HWY_INLINE void FitLanes(FloatVec mn, FloatVec mx, int bits, FloatVec& scale, FloatVec& bias) {
  const FloatTag d;
  const FloatVec zero = hn::Zero(d);
  if constexpr (kRule == MlxRule::kMetal) {
    mn = Flush(mn);
    mx = Flush(hn::Max(mx, zero));
  }
  const FloatVec top = hn::Set(d, static_cast<float>((1 << bits) - 1));
  scale = hn::Max(hn::Div(hn::Sub(mx, mn), top), hn::Set(d, kAffineEps));
  if (bits == 1) {  // no edge rule; +0 where MLX leaves a zero's sign open
    bias = kRule == MlxRule::kCpu ? mn : hn::Add(mn, zero);
    return;
  }
  const auto use_min = hn::Gt(hn::Abs(mn), hn::Abs(mx));
  const FloatVec edge = hn::IfThenElse(use_min, mn, mx);
  scale = hn::IfThenElse(use_min, scale, hn::Neg(scale));
  const FloatVec zero_code = RoundToInteger<kRule>(hn::Div(edge, scale));
  const auto keep = hn::Eq(zero_code, zero);
  scale = hn::IfThenElse(keep, scale, hn::Div(edge, zero_code));
  bias = hn::IfThenZeroElse(keep, edge);
}

// Per group of a chunk.
struct AffineFits {
  alignas(32) float mn[kAffineChunk];
  alignas(32) float mx[kAffineChunk];
  alignas(32) float scale[kAffineChunk];
  alignas(32) float bias[kAffineChunk];
};

// Extremes of eight groups of 16-bit floats, compared as integers: the largest signed pattern is
// the maximum unless all are negative; the largest unsigned one is the minimum unless none is; the
// smallest unsigned one is the other extreme in those cases.
template <DType kType>
HWY_INLINE void EightExtremes(const std::byte* values, size_t group, float* mn, float* mx) {
  const WideHalfBitsTag d;
  const hn::RebindToSigned<WideHalfBitsTag> ds;
  const hn::Full128<uint16_t> d8;
  const hn::Full128<int16_t> ds8;
  hn::Vec<decltype(ds8)> top_signed[8];
  hn::Vec<decltype(d8)> top[8];
  hn::Vec<decltype(d8)> low[8];
  for (size_t g = 0; g < 8; ++g) {
    const auto* in = reinterpret_cast<const uint16_t*>(values) + g * group;
    auto a = hn::LoadU(d, in);
    auto c = a;
    auto s = hn::BitCast(ds, a);
    for (size_t i = hn::Lanes(d); i < group; i += hn::Lanes(d)) {
      const auto v = hn::LoadU(d, in + i);
      a = hn::Max(a, v);
      c = hn::Min(c, v);
      s = hn::Max(s, hn::BitCast(ds, v));
    }
    top_signed[g] = FoldBlocks<MaxOf>(s);
    top[g] = FoldBlocks<MaxOf>(a);
    low[g] = FoldBlocks<MinOf>(c);
  }
  const auto s = MergeBlocks<MaxOf>(top_signed);
  const auto a = hn::BitCast(ds8, MergeBlocks<MaxOf>(top));
  const auto c = hn::BitCast(ds8, MergeBlocks<MinOf>(low));
  const auto zero = hn::Zero(ds8);
  alignas(16) std::byte extremes[2][16];
  hn::Store(hn::BitCast(d8, hn::IfThenElse(hn::Lt(a, zero), a, c)), d8,
            reinterpret_cast<uint16_t*>(extremes[0]));
  hn::Store(hn::BitCast(d8, hn::IfThenElse(hn::Lt(s, zero), c, s)), d8,
            reinterpret_cast<uint16_t*>(extremes[1]));
  for (size_t i = 0; i < 8; i += kFloatLanes) {
    hn::StoreU(ReadLanes<kType>(extremes[0], i), FloatTag(), mn + i);
    hn::StoreU(ReadLanes<kType>(extremes[1], i), FloatTag(), mx + i);
  }
}

template <>
HWY_INLINE void EightExtremes<DType::kF32>(const std::byte* values, size_t group, float* mn,
                                           float* mx) {
  const hn::Full128<float> d4;
  for (size_t half = 0; half < 8; half += 4) {
    hn::Vec<decltype(d4)> low[4];
    hn::Vec<decltype(d4)> top[4];
    for (size_t g = 0; g < 4; ++g) {
      const std::byte* in = values + (half + g) * group * sizeof(float);
      FloatVec a = ReadLanes<DType::kF32>(in, 0);
      FloatVec b = a;
      for (size_t i = kFloatLanes; i < group; i += kFloatLanes) {
        const FloatVec v = ReadLanes<DType::kF32>(in, i);
        a = hn::Min(a, v);
        b = hn::Max(b, v);
      }
      low[g] = FoldBlocks<MinOf>(a);
      top[g] = FoldBlocks<MaxOf>(b);
    }
    hn::StoreU(MergeBlocks<MinOf>(low), d4, mn + half);
    hn::StoreU(MergeBlocks<MaxOf>(top), d4, mx + half);
  }
}

// Codes before they are clamped.
template <MlxRule kRule>
HWY_INLINE IntVec CodeLanes(FloatVec v, FloatVec scale, FloatVec bias) {
  const FloatVec code = hn::Div(hn::Sub(v, bias), scale);
  if constexpr (kRule == MlxRule::kCpu) {
    return NearestEvenInt(code);
  } else {
    return TruncateToInt(hn::Add(code, hn::Set(FloatTag(), kBeforeHalf)));
  }
}

// mlx on a CPU takes the first of equal minima, so the sign of a zero one is that of the first
// zero.
template <DType kType>
HWY_INLINE void SignZeroMinima(const std::byte* values, size_t group, float* mn) {
  constexpr size_t kWidth = kValueBytes<kType>;
  for (size_t g = 0; g < kAffineChunk; ++g) {
    for (size_t i = g * group; mn[g] == 0.0F && i < (g + 1) * group; ++i) {
      uint32_t bits = 0;
      std::memcpy(&bits, values + i * kWidth, kWidth);
      bits <<= 32 - 8 * kWidth;  // the sign on top
      if ((bits << 1) == 0) {
        mn[g] = bits == 0 ? 0.0F : -0.0F;
        break;
      }
    }
  }
}

// Scale and bias of each group of a chunk, not yet rounded to the values' dtype.
template <DType kType, MlxRule kRule>
HWY_INLINE void FitChunk(const Encoding& encoding, const std::byte* values, AffineFits& fits) {
  const FloatTag d;
  const size_t group = encoding.group;
  for (size_t g = 0; g < kAffineChunk; g += 8) {
    EightExtremes<kType>(values + g * group * kValueBytes<kType>, group, fits.mn + g, fits.mx + g);
  }
  if (kRule == MlxRule::kCpu && encoding.bits == 1) {
    SignZeroMinima<kType>(values, group, fits.mn);
  }
  for (size_t g = 0; g < kAffineChunk; g += kFloatLanes) {
    FloatVec scale;
    FloatVec bias;
    FitLanes<kRule>(hn::Load(d, fits.mn + g), hn::Load(d, fits.mx + g), encoding.bits, scale, bias);
    hn::Store(scale, d, fits.scale + g);
    hn::Store(bias, d, fits.bias + g);
  }
}

// The value of a code but for the last rounding to kType: each operation's result is rounded, as in
// MLX. kNan: scale or bias may not be finite.
template <DType kType, bool kNan>
HWY_INLINE FloatVec DecodeLanes(IntVec code, FloatVec scale, FloatVec bias) {
  const FloatVec product = hn::Mul(hn::ConvertTo(FloatTag(), code), scale);
  return hn::Add(RoundLanes<kType, kNan>(product), bias);
}

#endif
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
