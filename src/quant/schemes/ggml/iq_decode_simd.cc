// The decoders of IQ1, IQ2 and IQ3 on vectors: eight elements at once.
#include <cstring>

#include "core/base/simd.h"
#include "quant/schemes/ggml/iq1.h"
#include "quant/schemes/ggml/iq_blocks.h"
#include "quant/schemes/ggml/iq_codebook.h"
#include "quant/schemes/ggml/iq_layout.h"
#include "quant/schemes/ggml/iq_point_bytes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/schemes/ggml/iq_decode_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h.
#include "core/tensor/float_lanes-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

constexpr int32_t kSignShifts[8] = {31, 30, 29, 28, 27, 26, 25, 24};

HWY_INLINE FloatVec LoadBytes(const uint8_t* bytes) {
  const auto lanes = hn::LoadU(hn::Rebind<uint8_t, FloatTag>(), bytes);
  return hn::ConvertTo(FloatTag(), hn::PromoteTo(IntTag(), lanes));
}

template <const IqLayout& kLayout>
HWY_INLINE uint32_t IndexOf(const uint8_t* block, size_t group) {
  return kLayout.low.Get(block, group) | kLayout.high.Get(block, group) << kLayout.low.width;
}

// The magnitudes of eight elements.
template <const IqLayout& kLayout>
HWY_INLINE void Magnitudes(const uint8_t* block, const uint8_t* points, size_t eight,
                           uint8_t* out) {
  constexpr size_t kDigits = IqDigits(kLayout.grid);
  for (size_t i = 0; i < 8; i += kDigits) {
    const size_t group = (eight * 8 + i) / kDigits;
    std::memcpy(out + i, points + IndexOf<kLayout>(block, group) * kDigits, kDigits);
  }
}

template <const IqLayout& kLayout>
void DecodeBlock(const uint8_t* block, float* values) {
  const FloatTag d;
  const IntTag di;
  const uint8_t* points = IqPointBytes(kLayout.grid);
  const float base = IqHalf(block);
  for (size_t eight = 0; eight < kIqBlock / 8; ++eight) {
    const uint32_t code = kLayout.scale.Get(block, eight * 8 / kLayout.scaled);
    const FloatVec scale = hn::Set(d, base * (0.5F + static_cast<float>(code)) * kLayout.unit);
    const IntVec signs = hn::Set(di, IqSigns(kLayout, kLayout.signs.Get(block, eight)));
    uint8_t bytes[8];
    Magnitudes<kLayout>(block, points, eight, bytes);
    for (size_t i = 0; i < 8; i += kFloatLanes) {
      const IntVec shifted = hn::Shl(signs, hn::LoadU(di, kSignShifts + i));
      const FloatVec value = hn::Mul(scale, LoadBytes(bytes + i));
      hn::StoreU(hn::Xor(value, hn::And(hn::BitCast(d, shifted), hn::SignBit(d))), d,
                 values + eight * 8 + i);
    }
  }
}

template <const Iq1Layout& kLayout>
void DecodeIq1Block(const uint8_t* block, float* values) {
  const FloatTag d;
  const uint8_t* points = IqPointBytes(IqGrid::kTernary2048);
  const float base = Iq1Scale(kLayout, block);
  for (size_t eight = 0; eight < kIqBlock / 8; ++eight) {
    const uint32_t code = kLayout.scale.Get(block, eight * 8 / kLayout.scaled);
    const FloatVec scale = hn::Set(d, base * static_cast<float>(2 * code + 1));
    const bool down = kLayout.down.Get(block, eight * 8 / kLayout.moved) != 0;
    const FloatVec lowest = hn::Set(d, Iq1ValuesOf(down)[0]);
    const uint32_t index = kLayout.low.Get(block, eight) | kLayout.high.Get(block, eight)
                                                               << kLayout.low.width;
    for (size_t i = 0; i < 8; i += kFloatLanes) {
      const FloatVec ternary = hn::Add(LoadBytes(points + index * 8 + i), lowest);
      hn::StoreU(hn::Mul(scale, ternary), d, values + eight * 8 + i);
    }
  }
}

template <const IqLayout& kLayout>
void Decode(const DecodeJob& job) {
  DecodeIqBlocks<kIqBlock, kLayout.bytes, DecodeBlock<kLayout>>(job);
}

template <const Iq1Layout& kLayout>
void DecodeIq1(const DecodeJob& job) {
  DecodeIqBlocks<kIqBlock, kLayout.bytes, DecodeIq1Block<kLayout>>(job);
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx {
namespace {

template <const IqLayout& kLayout>
void Run(const DecodeJob& job) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(DecodeIqCodebookReference, Decode<kLayout>);
  kTable.Get()(job);
}

}  // namespace

void DecodeIqCodebook(const DecodeJob& job) {
  switch (job.encoding.scheme) {
    case Scheme::kIq2Xxs:
      return Run<kIq2XxsLayout>(job);
    case Scheme::kIq2Xs:
      return Run<kIq2XsLayout>(job);
    case Scheme::kIq2S:
      return Run<kIq2SLayout>(job);
    case Scheme::kIq3Xxs:
      return Run<kIq3XxsLayout>(job);
    default:
      return Run<kIq3SLayout>(job);
  }
}

void DecodeIq1S(const DecodeJob& job) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(DecodeIq1SReference, DecodeIq1<kIq1SLayout>);
  kTable.Get()(job);
}

void DecodeIq1M(const DecodeJob& job) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(DecodeIq1MReference, DecodeIq1<kIq1MLayout>);
  kTable.Get()(job);
}

}  // namespace lbrx
#endif
