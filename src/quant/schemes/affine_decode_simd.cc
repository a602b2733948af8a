// Affine decoding on vectors: a chunk's codes as bytes, then values, rounded as in affine.cc.
#include <algorithm>
#include <array>
#include <cstring>

#include "core/base/simd.h"
#include "core/tensor/convert.h"
#include "quant/schemes/affine.h"
#include "quant/schemes/through_floats.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/schemes/affine_decode_simd.cc"
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

// One rounding after each operation, as in MLX. kNan: scale or bias may not be finite.
template <DType kType, DType kOut, bool kNan>
HWY_INLINE void DecodeGroup(const uint8_t* codes, size_t group, float scale, float bias,
                            std::byte* values) {
  const FloatTag d;
  const FloatVec scales = hn::Set(d, scale);
  const FloatVec biases = hn::Set(d, bias);
  for (size_t i = 0; i < group; i += 2 * kFloatLanes) {
    IntVec even;
    IntVec odd;
    LoadBytes(codes + i, even, odd);
    FloatVec a = RoundLanes<kType, kNan>(hn::Mul(hn::ConvertTo(d, even), scales));
    FloatVec b = RoundLanes<kType, kNan>(hn::Mul(hn::ConvertTo(d, odd), scales));
    a = hn::Add(a, biases);
    b = hn::Add(b, biases);
    if constexpr (kOut != kType) {  // F32, of values rounded to kType
      a = RoundLanes<kType, kNan>(a);
      b = RoundLanes<kType, kNan>(b);
    }
    WriteLanePair<kOut, kNan>(a, b, values, i);
  }
}

// `groups` of at most kChunkGroups. kOut is kType or F32. Reads kPackSlack bytes beyond the codes.
template <DType kType, DType kOut>
void DecodeChunk(const Encoding& encoding, const std::array<const std::byte*, 3>& planes,
                 size_t groups, std::byte* values) {
  const size_t group = encoding.group;
  alignas(32) uint8_t codes[kMaxChunk];
  alignas(32) float scales[kChunkGroups];
  alignas(32) float biases[kChunkGroups];
  Unpack(encoding.bits, planes[0], groups * group, codes);
  Convert(kType, planes[1], DType::kF32, reinterpret_cast<std::byte*>(scales), groups);
  Convert(kType, planes[2], DType::kF32, reinterpret_cast<std::byte*>(biases), groups);
  const bool finite =
      !HasNonFinite(kType, planes[1], groups) && !HasNonFinite(kType, planes[2], groups);
  for (size_t g = 0; g < groups; ++g) {
    const uint8_t* in = codes + g * group;
    std::byte* out = values + g * group * kValueBytes<kOut>;
    if (finite) {
      DecodeGroup<kType, kOut, false>(in, group, scales[g], biases[g], out);
    } else {
      DecodeGroup<kType, kOut, true>(in, group, scales[g], biases[g], out);
    }
  }
}

template <DType kType, DType kOut>
void DecodeAs(const DecodeJob& job) {
  const Encoding& encoding = job.encoding;
  const size_t groups = job.elements / encoding.group;
  const size_t bytes = size_t{encoding.group} / 8 * encoding.bits;
  const size_t in_place = ChunksInPlace(groups, kChunkGroups, bytes) * kChunkGroups;
  std::array<const std::byte*, 3> planes = {job.planes[0], job.planes[1], job.planes[2]};
  std::byte* values = job.values;
  alignas(32) std::byte buffer[kMaxChunk + kPackSlack] = {};
  for (size_t g = 0; g < groups; g += kChunkGroups) {
    const size_t n = std::min(kChunkGroups, groups - g);
    std::array<const std::byte*, 3> chunk = planes;
    if (g >= in_place) {
      std::memcpy(buffer, planes[0], n * bytes);
      chunk[0] = buffer;
    }
    DecodeChunk<kType, kOut>(encoding, chunk, n, values);
    values += n * encoding.group * kValueBytes<kOut>;
    planes[0] += n * bytes;
    planes[1] += n * kValueBytes<kType>;
    planes[2] += n * kValueBytes<kType>;
  }
}

void Decode(const DecodeJob& job) {
  const bool widen = job.dtype == DType::kF32;
  switch (job.encoding.dtype) {
    case DType::kBF16:
      return widen ? DecodeAs<DType::kBF16, DType::kF32>(job)
                   : DecodeAs<DType::kBF16, DType::kBF16>(job);
    case DType::kF16:
      return widen ? DecodeAs<DType::kF16, DType::kF32>(job)
                   : DecodeAs<DType::kF16, DType::kF16>(job);
    default:
      return DecodeAs<DType::kF32, DType::kF32>(job);
  }
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx {

void DecodeAffine(const DecodeJob& job) {
  if (job.dtype != job.encoding.dtype && job.dtype != DType::kF32) {
    return DecodeThroughFloats(job, DecodeAffine);
  }
  static constexpr auto kTable = LBRX_SIMD_TABLE(DecodeAffineReference, Decode);
  kTable.Get()(job);
}

}  // namespace lbrx
#endif
