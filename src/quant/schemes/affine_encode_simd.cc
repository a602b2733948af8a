// Affine on vectors. A chunk of groups goes through four passes, each a plain loop over the chunk:
// minimum and maximum of each group; scale and bias across groups; codes as bytes; packed bits.
// Divisions are real ones and nothing is fused: the bytes are those of affine.cc.
#include <algorithm>
#include <array>
#include <cstring>

#include "core/base/simd.h"
#include "quant/schemes/affine.h"
#include "quant/schemes/affine_search.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/schemes/affine_encode_simd.cc"
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

constexpr size_t kChunkGroups = 32;
constexpr size_t kMaxGroup = 128;
constexpr size_t kMaxChunk = kChunkGroups * kMaxGroup;
// The float before 1/2: for x >= 0, trunc(x + kBeforeHalf) rounds half away from zero.
constexpr float kBeforeHalf = 0x1.fffffep-2F;

// Per group of a chunk.
struct Fits {
  alignas(32) float mn[kChunkGroups];
  alignas(32) float mx[kChunkGroups];
  alignas(32) float scale[kChunkGroups];
  alignas(32) float bias[kChunkGroups];
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

template <MlxRule kRule>
HWY_INLINE IntVec CodeLanes(FloatVec v, FloatVec scale, FloatVec bias) {
  const FloatVec code = hn::Div(hn::Sub(v, bias), scale);
  if constexpr (kRule == MlxRule::kCpu) {
    return NearestEvenInt(code);
  } else {
    return TruncateToInt(hn::Add(code, hn::Set(FloatTag(), kBeforeHalf)));
  }
}

template <DType kType, MlxRule kRule>
HWY_INLINE void ChunkCodes(const std::byte* values, size_t group, const Fits& fits,
                           uint8_t* codes) {
  for (size_t g = 0; g < kChunkGroups; ++g) {
    const FloatVec scale = hn::Set(FloatTag(), fits.scale[g]);
    const FloatVec bias = hn::Set(FloatTag(), fits.bias[g]);
    for (size_t i = g * group; i < (g + 1) * group; i += 2 * kFloatLanes) {
      FloatVec even;
      FloatVec odd;
      ReadLanePair<kType>(values, i, even, odd);
      StoreBytes(CodeLanes<kRule>(even, scale, bias), CodeLanes<kRule>(odd, scale, bias),
                 codes + i);
    }
  }
}

HWY_INLINE void ClampBytes(uint8_t* codes, size_t count, int bits) {
  const CodesTag d;
  const CodesVec top = hn::Set(d, static_cast<uint8_t>((1 << bits) - 1));
  for (size_t i = 0; i < count; i += kCodeLanes) {
    hn::StoreU(hn::Min(hn::LoadU(d, codes + i), top), d, codes + i);
  }
}

// mlx on a CPU takes the first of equal minima, so the sign of a zero one is that of the first
// zero.
template <DType kType>
void SignZeroMinima(const std::byte* values, size_t group, float* mn) {
  constexpr size_t kWidth = kValueBytes<kType>;
  for (size_t g = 0; g < kChunkGroups; ++g) {
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

// kChunkGroups groups. Writes kPackSlack bytes beyond the codes.
template <DType kType, MlxRule kRule>
void EncodeChunk(const Encoding& encoding, const std::byte* values,
                 const std::array<std::byte*, 3>& planes) {
  const size_t group = encoding.group;
  Fits fits;
  alignas(32) uint8_t codes[kMaxChunk];
  for (size_t g = 0; g < kChunkGroups; g += 8) {
    EightExtremes<kType>(values + g * group * kValueBytes<kType>, group, fits.mn + g, fits.mx + g);
  }
  if (kRule == MlxRule::kCpu && encoding.bits == 1) {
    SignZeroMinima<kType>(values, group, fits.mn);
  }
  for (size_t g = 0; g < kChunkGroups; g += kFloatLanes) {
    const FloatTag d;
    FloatVec scale;
    FloatVec bias;
    FitLanes<kRule>(hn::Load(d, fits.mn + g), hn::Load(d, fits.mx + g), encoding.bits, scale, bias);
    hn::Store(scale, d, fits.scale + g);
    hn::Store(bias, d, fits.bias + g);
    WriteLanes<kType>(scale, planes[1], g);
    WriteLanes<kType>(bias, planes[2], g);
  }
  ChunkCodes<kType, kRule>(values, group, fits, codes);
  ClampBytes(codes, kChunkGroups * group, encoding.bits);
  Pack(encoding.bits, codes, kChunkGroups * group, planes[0]);
}

// A chunk at the end, full or not: through buffers, so that nothing beyond the job is touched.
template <DType kType, MlxRule kRule>
void EncodeBuffered(const Encoding& encoding, const std::byte* values, size_t groups,
                    const std::array<std::byte*, 3>& planes) {
  alignas(32) std::byte padded[kMaxChunk * sizeof(float)];
  alignas(32) std::byte codes[kMaxChunk + kPackSlack];
  alignas(32) std::byte scales[kChunkGroups * sizeof(float)];
  alignas(32) std::byte biases[kChunkGroups * sizeof(float)];
  const size_t used = groups * encoding.group * kValueBytes<kType>;
  std::memcpy(padded, values, used);
  std::memset(padded + used, 0, kChunkGroups * encoding.group * kValueBytes<kType> - used);
  EncodeChunk<kType, kRule>(encoding, padded, {codes, scales, biases});
  std::memcpy(planes[0], codes, groups * encoding.group / 8 * encoding.bits);
  std::memcpy(planes[1], scales, groups * kValueBytes<kType>);
  std::memcpy(planes[2], biases, groups * kValueBytes<kType>);
}

template <DType kType, MlxRule kRule>
void EncodeAs(const EncodeJob& job) {
  const Encoding& encoding = job.encoding;
  const size_t groups = job.elements / encoding.group;
  const size_t bytes = size_t{encoding.group} / 8 * encoding.bits;
  const size_t in_place = ChunksInPlace(groups, kChunkGroups, bytes) * kChunkGroups;
  std::array<std::byte*, 3> planes = {job.planes[0], job.planes[1], job.planes[2]};
  const std::byte* values = job.values;
  for (size_t g = 0; g < groups; g += kChunkGroups) {
    const size_t n = std::min(kChunkGroups, groups - g);
    if (g < in_place) {
      EncodeChunk<kType, kRule>(encoding, values, planes);
    } else {
      EncodeBuffered<kType, kRule>(encoding, values, n, planes);
    }
    values += n * encoding.group * kValueBytes<kType>;
    planes[0] += n * bytes;
    planes[1] += n * kValueBytes<kType>;
    planes[2] += n * kValueBytes<kType>;
  }
}

template <DType kType>
void EncodeByRule(const EncodeJob& job) {
  if (job.options.rule == MlxRule::kMetal) {
    EncodeAs<kType, MlxRule::kMetal>(job);
  } else {
    EncodeAs<kType, MlxRule::kCpu>(job);
  }
}

void Encode(const EncodeJob& job) {
  switch (job.encoding.dtype) {
    case DType::kBF16:
      return EncodeByRule<DType::kBF16>(job);
    case DType::kF16:
      return EncodeByRule<DType::kF16>(job);
    default:
      return EncodeByRule<DType::kF32>(job);
  }
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx {

void EncodeAffine(const EncodeJob& job) {
  if (job.options.search) {
    return EncodeAffineSearch(job);
  }
  static constexpr auto kTable = LBRX_SIMD_TABLE(EncodeAffineReference, Encode);
  kTable.Get()(job);
}

}  // namespace lbrx
#endif
