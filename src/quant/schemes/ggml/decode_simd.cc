// Decoding of all block formats. Their loops have no dependencies but a block's scales, so that the
// compiler makes vectors of them: the definitions are compiled once more for each target.
#include "core/base/simd.h"
#include "quant/schemes/ggml/few_bits.h"
#include "quant/schemes/ggml/k_minimum.h"
#include "quant/schemes/ggml/k_symmetric.h"
#include "quant/schemes/ggml/legacy.h"
#include "quant/schemes/ggml/small_floats.h"
#include "quant/schemes/through_floats.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/schemes/ggml/decode_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

template <typename Format>
void Decode(const DecodeJob& job) {
  ggml::DecodeLoop<Format>(job.planes[0], job.elements, reinterpret_cast<float*>(job.values));
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx::ggml {

template <typename Format>
void DecodeBlocksReference(const DecodeJob& job) {
  if (job.dtype != DType::kF32) {
    return DecodeThroughFloats(job, DecodeBlocksReference<Format>);
  }
  DecodeLoop<Format>(job.planes[0], job.elements, reinterpret_cast<float*>(job.values));
}

template <typename Format>
void DecodeBlocks(const DecodeJob& job) {
  if (job.dtype != DType::kF32) {
    return DecodeThroughFloats(job, DecodeBlocks<Format>);
  }
  static constexpr auto kTable = LBRX_SIMD_TABLE(DecodeBlocksReference<Format>, Decode<Format>);
  kTable.Get()(job);
}

#define LBRX_DECODE(Format)                                      \
  template void DecodeBlocksReference<Format>(const DecodeJob&); \
  template void DecodeBlocks<Format>(const DecodeJob&)

LBRX_DECODE(Q40);
LBRX_DECODE(Q41);
LBRX_DECODE(Q50);
LBRX_DECODE(Q51);
LBRX_DECODE(Q80);
LBRX_DECODE(Q81);
LBRX_DECODE(Q2K);
LBRX_DECODE(Q3K);
LBRX_DECODE(Q4K);
LBRX_DECODE(Q5K);
LBRX_DECODE(Q6K);
LBRX_DECODE(Q8K);
LBRX_DECODE(Tq10);
LBRX_DECODE(Tq20);
LBRX_DECODE(BlockMxfp4);
LBRX_DECODE(BlockNvfp4);
LBRX_DECODE(Q10);
LBRX_DECODE(Q20);

#undef LBRX_DECODE

}  // namespace lbrx::ggml
#endif
