// The formats with blocks of 32 without minima and without importance: a block's values in the
// lanes, and a block in each lane where it is about their extremes. For files compiled per target
// (core/base/simd.h).
#if defined(LBRX_GGML_LEGACY_ROWS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LBRX_GGML_LEGACY_ROWS_INL_H
#undef LBRX_GGML_LEGACY_ROWS_INL_H
#else
#define LBRX_GGML_LEGACY_ROWS_INL_H
#endif

#include <cstddef>
#include <cstdint>

#include "core/base/simd.h"
#include "hwy/highway.h"
#include "quant/schemes/ggml/legacy.h"
#include "quant/schemes/ggml/rows_lanes-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
#if LBRX_SIMD

// The largest magnitudes of blocks; not a number where a value is none.
HWY_INLINE LaneVec MagnitudesOf(const Batch& batch) {
  const LaneIntTag d;
  HWY_ALIGN int32_t rows[kLanes * kLanes];
  for (size_t b = 0; b < kLanes; ++b) {
    LaneIntVec most = hn::Zero(d);
    for (size_t i = 0; i < 32; i += kLanes) {
      most = hn::Max(most, hn::And(BitsAt(batch.values[b] + i), hn::Set(d, 0x7FFFFFFF)));
    }
    hn::Store(most, d, rows + b * kLanes);
  }
  return hn::BitCast(LaneTag(), MaximaOfRows(d, rows));
}

// ggml::SignedMaximum of blocks; not a number where a value is none.
HWY_INLINE LaneVec SignedMaximaOf(const Batch& batch) {
  const LaneTag tag;
  const LaneIntTag d;
  const hn::RebindToUnsigned<LaneTag> bits;
  HWY_ALIGN int32_t greatest[kLanes * kLanes];  // of positive values, as integers
  HWY_ALIGN uint32_t least[kLanes * kLanes];  // of negative ones, which are above as unsigned ones
  for (size_t b = 0; b < kLanes; ++b) {
    LaneIntVec high = BitsAt(batch.values[b]);
    auto low = hn::BitCast(bits, high);
    for (size_t i = kLanes; i < 32; i += kLanes) {
      const LaneIntVec value = BitsAt(batch.values[b] + i);
      high = hn::Max(high, value);
      low = hn::Max(low, hn::BitCast(bits, value));
    }
    hn::Store(high, d, greatest + b * kLanes);
    hn::Store(low, bits, least + b * kLanes);
  }
  const LaneIntVec zero = hn::Zero(d);
  const LaneIntVec below = hn::BitCast(d, MaximaOfRows(bits, least));
  const LaneIntVec negative =
      hn::IfThenElseZero(hn::Lt(below, zero), hn::And(below, hn::Set(d, 0x7FFFFFFF)));
  const LaneIntVec positive = hn::Max(MaximaOfRows(d, greatest), zero);
  const LaneVec most =
      hn::BitCast(tag, hn::IfThenElse(hn::Gt(negative, positive), below, positive));
  const auto both = hn::And(hn::Eq(negative, positive), hn::Gt(positive, zero));
  if (hn::AllFalse(d, both)) {
    return most;
  }
  HWY_ALIGN float of_blocks[kLanes];
  for (size_t b = 0; b < kLanes; ++b) {
    of_blocks[b] = ggml::SignedMaximum(batch.values[b], 32);
  }
  return hn::IfThenElse(hn::RebindMask(tag, both), hn::Load(tag, of_blocks), most);
}

// A bit for each lane.
HWY_INLINE uint32_t MaskBits(hn::Mask<LaneIntTag> mask) {
  uint8_t bytes[8] = {};
  hn::StoreMaskBits(LaneIntTag(), mask, bytes);
  return bytes[0] | uint32_t{bytes[1]} << 8;
}

// Codes of a block as ggml::EncodeSymmetric32 cuts them.
template <typename Format>
HWY_INLINE void CutBlock(const float* x, float inverse, typename Format::Block& block) {
  const LaneTag tag;
  const LaneIntTag d;
  const LaneVec factor = hn::Set(tag, inverse);
  const LaneVec offset = hn::Set(tag, static_cast<float>(Format::kTop) + 0.5F);
  const auto code = [&](size_t i) HWY_ATTR {
    const LaneVec real = hn::Add(hn::Mul(hn::LoadU(tag, x + i), factor), offset);
    return hn::Min(hn::ConvertTo(d, real), hn::Set(d, 2 * Format::kTop - 1));
  };
  uint32_t fifth_bits = 0;
  for (size_t i = 0; i < 16; i += kLanes) {
    LaneIntVec low = code(i);
    LaneIntVec high = code(i + 16);
    if constexpr (Format::kHasFifthBit) {
      const LaneIntVec nibble = hn::Set(d, 15);
      fifth_bits |= MaskBits(hn::Gt(low, nibble)) << i;
      fifth_bits |= MaskBits(hn::Gt(high, nibble)) << (i + 16);
      low = hn::And(low, nibble);
      high = hn::And(high, nibble);
    }
    StoreBytes(hn::Or(low, hn::ShiftLeft<4>(high)), block.codes + i);
  }
  if constexpr (Format::kHasFifthBit) {
    block.high.Set(fifth_bits);
  }
}

// Codes of a block as ggml::Q80 rounds them.
HWY_INLINE void RoundBlock(const float* x, float inverse, ggml::Q80::Block& block) {
  const hn::Rebind<int8_t, LaneIntTag> bytes;
  const LaneVec factor = hn::Set(LaneTag(), inverse);
  for (size_t i = 0; i < 32; i += kLanes) {
    const LaneIntVec code = NearestAwayLanes(hn::Mul(hn::LoadU(LaneTag(), x + i), factor));
    hn::StoreU(hn::DemoteTo(bytes, code), bytes, block.codes + i);
  }
}

// Writes a batch with these scales: code(x, inverse, block) sets a block's codes.
template <typename Format, typename Code>
HWY_INLINE void WriteScaled(const Batch& batch, LaneVec scales, const Code& code) {
  ggml::Half d[kLanes];
  HWY_ALIGN float inverses[kLanes];
  StoreHalves(scales, d);
  StoreLanes(InverseOrZeroLanes(scales), inverses, 0);
  WriteBatch<Format>(batch, hn::Not(UsualScales(scales)),
                     [&](size_t b, typename Format::Block& block) HWY_ATTR {
                       block.d = d[b];
                       code(batch.values[b], inverses[b], block);
                     });
}

template <typename Format>
HWY_INLINE void EncodeCut(const EncodeJob& job) {
  EncodeInBatches<32, sizeof(typename Format::Block)>(
      job, nullptr, [](const Batch& batch) HWY_ATTR {
        const LaneVec top = hn::Set(LaneTag(), static_cast<float>(-Format::kTop));
        WriteScaled<Format>(batch, hn::Div(SignedMaximaOf(batch), top), CutBlock<Format>);
      });
}

HWY_INLINE void EncodeRounded(const EncodeJob& job) {
  EncodeInBatches<32, sizeof(ggml::Q80::Block)>(job, nullptr, [](const Batch& batch) HWY_ATTR {
    const LaneVec top = hn::Set(LaneTag(), 127.0F);
    WriteScaled<ggml::Q80>(batch, hn::Div(MagnitudesOf(batch), top), RoundBlock);
  });
}

#endif
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
