// Affine on vectors. A chunk of groups goes through four passes, each a plain loop over the chunk:
// minimum and maximum of each group; scale and bias across groups; codes as bytes; packed bits.
// Divisions are real ones and nothing is fused: the bytes are those of affine.cc.
#include "core/base/simd.h"
#include "quant/schemes/affine.h"
#include "quant/schemes/affine_search.h"
#include "quant/schemes/with_type.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/schemes/affine_encode_simd.cc"
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

template <DType kType, MlxRule kRule>
HWY_INLINE void ChunkCodes(const std::byte* values, size_t group, const AffineFits& fits,
                           uint8_t* codes) {
  for (size_t g = 0; g < kAffineChunk; ++g) {
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

// kAffineChunk groups. Writes kPackSlack bytes beyond the codes.
template <DType kType, MlxRule kRule>
void EncodeChunk(const Encoding& encoding, const std::byte* values,
                 const PlanePointers<3>& planes) {
  const size_t group = encoding.group;
  AffineFits fits;
  alignas(32) uint8_t codes[kAffineChunk * kMaxAffineGroup];
  FitChunk<kType, kRule>(encoding, values, fits);
  for (size_t g = 0; g < kAffineChunk; g += kFloatLanes) {
    WriteLanes<kType>(hn::Load(FloatTag(), fits.scale + g), planes[1], g);
    WriteLanes<kType>(hn::Load(FloatTag(), fits.bias + g), planes[2], g);
  }
  ChunkCodes<kType, kRule>(values, group, fits, codes);
  ClampBytes(codes, kAffineChunk * group, encoding.bits);
  Pack(encoding.bits, codes, kAffineChunk * group, planes[0]);
}

template <DType kType, MlxRule kRule>
void EncodeAs(const EncodeJob& job) {
  EncodeChunks<kAffineChunk, kMaxAffineGroup, 3>(
      job, [&](const std::byte* values, const PlanePointers<3>& planes) {
        EncodeChunk<kType, kRule>(job.encoding, values, planes);
      });
}

void Encode(const EncodeJob& job) {
  WithTypeAndRule(job, [&](auto type, auto rule) { EncodeAs<type, rule>(job); });
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
