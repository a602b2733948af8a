// Encoding of the formats of 4-bit floats on vectors: a block in each lane.
#include "core/base/simd.h"
#include "quant/schemes/ggml/small_floats.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/schemes/ggml/small_floats_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h.
#include "quant/schemes/ggml/lanes-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

template <size_t kSize>
HWY_INLINE LaneVec MagnitudeLanes(const float* x) {
  LaneVec most = hn::Zero(LaneTag());
  for (size_t i = 0; i < kSize; ++i) {
    most = hn::Max(most, hn::Abs(LoadLanes(x, i)));
  }
  return most;
}

// ggml::NearestE2M1. Up to twice the greatest value distances to the two values around x are exact,
// so that what lies half way decides; beyond, the nearest is the last one as long as distances can
// be told apart.
class NearestLanes {
 public:
  // Where half the scale is 0 all codes are 0.
  HWY_INLINE explicit NearestLanes(LaneVec half_scale) {
    const LaneTag d;
    const auto none = hn::Eq(half_scale, hn::Zero(d));
    const LaneVec half = hn::IfThenElse(none, hn::Inf(d), half_scale);
    constexpr float kMiddles[7] = {0.5F, 1.5F, 2.5F, 3.5F, 5.0F, 7.0F, 10.0F};
    for (size_t i = 0; i < 7; ++i) {
      middles_[i] = hn::Mul(half, hn::Set(d, kMiddles[i]));
    }
  }

  HWY_INLINE LaneVec Code(LaneVec x) const {
    const LaneTag d;
    const LaneIntTag di;
    const LaneVec size = hn::Abs(x);
    LaneIntVec code = hn::Zero(di);
    for (const LaneVec& middle : middles_) {
      code = hn::Sub(code, hn::BitCast(di, hn::VecFromMask(d, hn::Gt(size, middle))));
    }
    const LaneVec magnitude = hn::ConvertTo(d, code);
    const auto negative = hn::And(hn::Lt(x, hn::Zero(d)), hn::Gt(magnitude, hn::Zero(d)));
    return hn::Add(magnitude, hn::IfThenElseZero(negative, hn::Set(d, 8.0F)));
  }

  // `kSize` values to half as many bytes.
  template <size_t kSize, size_t kWords>
  HWY_INLINE void SetCodes(const float* x, size_t at, CodeWords<kWords>& words) const {
    const auto pair = [&](size_t i) HWY_ATTR {
      const LaneVec upper = Code(LoadLanes(x, i + kSize / 2));
      return hn::Add(Code(LoadLanes(x, i)), hn::Mul(upper, hn::Set(LaneTag(), 16.0F)));
    };
    for (size_t i = 0; i < kSize / 2; i += 4) {
      words.Set(at + i, pair(i), pair(i + 1), pair(i + 2), pair(i + 3));
    }
  }

 private:
  LaneVec middles_[7];
};

void EncodeMxfp4(const EncodeJob& job) {
  using ggml::BlockMxfp4;
  EncodeInBatches<32, sizeof(BlockMxfp4::Block)>(job, nullptr, [](const Batch& batch) HWY_ATTR {
    const LaneTag d;
    const LaneIntTag di;
    HWY_ALIGN float x[32 * kLanes];
    ToLanes(batch.values, 32, x);
    const LaneVec most = MagnitudeLanes<32>(x);
    const LaneIntVec bits = hn::BitCast(di, most);
    const LaneIntVec exponent = hn::Sub(hn::ShiftRight<23>(bits), hn::Set(di, 2));
    const auto zeros = hn::Eq(most, hn::Zero(d));
    // Where the logarithm may round up to the next power of two, or the scale be subnormal.
    const auto near_next = hn::Gt(hn::And(bits, hn::Set(di, 0x7FFFFF)), hn::Set(di, 0x7FFF00));
    const auto usual =
        hn::And(hn::Gt(most, hn::Set(d, 0x1p-100F)), hn::Lt(most, hn::Set(d, 0x1p100F)));
    const auto odd = hn::AndNot(zeros, hn::Or(hn::RebindMask(d, near_next), hn::Not(usual)));
    const LaneVec half = hn::BitCast(d, hn::ShiftLeft<23>(hn::Sub(exponent, hn::Set(di, 1))));
    CodeWords<4> words;
    NearestLanes(hn::IfThenZeroElse(zeros, half)).SetCodes<32>(x, 0, words);
    words.ToBlocks();
    HWY_ALIGN int32_t exponents[kLanes];
    hn::Store(hn::IfThenZeroElse(hn::RebindMask(di, zeros), exponent), di, exponents);
    WriteBatch<BlockMxfp4>(batch, odd, [&](size_t b, BlockMxfp4::Block& block) HWY_ATTR {
      block.exponent = static_cast<uint8_t>(exponents[b]);
      words.Copy(b, block.codes);
    });
  });
}

void EncodeNvfp4(const EncodeJob& job) {
  using ggml::BlockNvfp4;
  EncodeInBatches<64, sizeof(BlockNvfp4::Block)>(job, nullptr, [](const Batch& batch) HWY_ATTR {
    const LaneTag d;
    HWY_ALIGN float x[64 * kLanes];
    ToLanes(batch.values, 64, x);
    LaneMask odd = NoLanes();
    uint8_t scales[4][kLanes];
    CodeWords<8> words;
    for (size_t s = 0; s < 4; ++s) {
      const float* values = x + s * 16 * kLanes;
      const LaneVec most = MagnitudeLanes<16>(values);
      odd = hn::Or(odd, hn::Not(hn::Lt(most, hn::Set(d, 0x1p16F))));
      HWY_ALIGN float sixths[kLanes];
      HWY_ALIGN float halves[kLanes];
      StoreLanes(hn::Div(most, hn::Set(d, 6.0F)), sixths, 0);
      for (size_t b = 0; b < kLanes; ++b) {
        scales[s][b] = BlockNvfp4::Scale(sixths[b]);
        halves[b] = BlockNvfp4::HalfScale(scales[s][b]);
      }
      NearestLanes(hn::Load(d, halves)).SetCodes<16>(values, s * 8, words);
    }
    words.ToBlocks();
    WriteBatch<BlockNvfp4>(batch, odd, [&](size_t b, BlockNvfp4::Block& block) HWY_ATTR {
      for (size_t s = 0; s < 4; ++s) {
        block.scales[s] = scales[s][b];
      }
      words.Copy(b, block.codes);
    });
  });
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx::ggml {

template <>
void EncodeBlocks<BlockMxfp4>(const EncodeJob& job) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(EncodeBlocksReference<BlockMxfp4>, EncodeMxfp4);
  kTable.Get()(job);
}

template <>
void EncodeBlocks<BlockNvfp4>(const EncodeJob& job) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(EncodeBlocksReference<BlockNvfp4>, EncodeNvfp4);
  kTable.Get()(job);
}

}  // namespace lbrx::ggml
#endif
