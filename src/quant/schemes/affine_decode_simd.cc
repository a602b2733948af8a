// Affine decoding on vectors: a chunk's codes as bytes, then values, rounded as in affine.cc.
#include "core/base/simd.h"
#include "core/tensor/convert.h"
#include "quant/schemes/affine.h"
#include "quant/schemes/through_floats.h"
#include "quant/schemes/with_type.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/schemes/affine_decode_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h.
#include "core/tensor/float_lanes-inl.h"
#include "quant/schemes/affine_fit-inl.h"
#include "quant/schemes/codes-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

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
    FloatVec a = DecodeLanes<kType, kNan>(even, scales, biases);
    FloatVec b = DecodeLanes<kType, kNan>(odd, scales, biases);
    if constexpr (kOut != kType) {  // F32, of values rounded to kType
      a = RoundLanes<kType, kNan>(a);
      b = RoundLanes<kType, kNan>(b);
    }
    WriteLanePair<kOut, kNan>(a, b, values, i);
  }
}

// `groups` of at most kAffineChunk. kOut is kType or F32. Reads kPackSlack bytes beyond the codes.
template <DType kType, DType kOut>
void DecodeChunk(const Encoding& encoding, const ConstPlanePointers<3>& planes, size_t groups,
                 std::byte* values) {
  const size_t group = encoding.group;
  alignas(32) uint8_t codes[kAffineChunk * kMaxAffineGroup];
  alignas(32) float scales[kAffineChunk];
  alignas(32) float biases[kAffineChunk];
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
  DecodeChunks<kAffineChunk, kMaxAffineGroup, 3>(
      job, [&](const ConstPlanePointers<3>& planes, size_t groups, std::byte* values) {
        DecodeChunk<kType, kOut>(job.encoding, planes, groups, values);
      });
}

void Decode(const DecodeJob& job) {
  WithTypes(job, [&](auto type, auto out) { DecodeAs<type, out>(job); });
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
