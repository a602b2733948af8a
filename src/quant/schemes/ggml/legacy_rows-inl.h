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
HWY_INLINE LaneVec MagnitudesOf(const float* const* blocks) {
  const LaneIntTag d;
  HWY_ALIGN int32_t rows[kLanes * kLanes];
  for (size_t b = 0; b < kLanes; ++b) {
    LaneIntVec most = hn::Zero(d);
    for (size_t i = 0; i < 32; i += kLanes) {
      most = hn::Max(most, hn::And(BitsAt(blocks[b] + i), hn::Set(d, 0x7FFFFFFF)));
    }
    hn::Store(most, d, rows + b * kLanes);
  }
  return hn::BitCast(LaneTag(), MaximaOfRows(d, rows));
}

// ggml::SignedMaximum of blocks; not a number where a value is none.
HWY_INLINE LaneVec SignedMaximaOf(const float* const* blocks) {
  const LaneTag tag;
  const LaneIntTag d;
  const hn::RebindToUnsigned<LaneTag> bits;
  HWY_ALIGN int32_t greatest[kLanes * kLanes];  // of positive values, as integers
  HWY_ALIGN uint32_t least[kLanes * kLanes];  // of negative ones, which are above as unsigned ones
  for (size_t b = 0; b < kLanes; ++b) {
    LaneIntVec high = BitsAt(blocks[b]);
    auto low = hn::BitCast(bits, high);
    for (size_t i = kLanes; i < 32; i += kLanes) {
      const LaneIntVec value = BitsAt(blocks[b] + i);
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
    of_blocks[b] = ggml::SignedMaximum(blocks[b], 32);
  }
  return hn::IfThenElse(hn::RebindMask(tag, both), hn::Load(tag, of_blocks), most);
}

// A bit for each lane.
HWY_INLINE uint32_t MaskBits(LaneMask mask) {
  uint8_t bytes[8] = {};
  hn::StoreMaskBits(LaneTag(), mask, bytes);
  return bytes[0] | uint32_t{bytes[1]} << 8;
}

// Cuts a block's values to codes as ggml::EncodeSymmetric32 does.
template <typename Format>
struct CutCodes {
  // Code of the values from x on, as a real number.
  static HWY_INLINE LaneVec Code(const float* x, LaneVec inverse) {
    const LaneTag d;
    const LaneVec offset = hn::Set(d, static_cast<float>(Format::kTop) + 0.5F);
    const LaneVec real = hn::Add(hn::Mul(hn::LoadU(d, x), inverse), offset);
    return hn::Min(hn::Trunc(real), hn::Set(d, static_cast<float>(2 * Format::kTop - 1)));
  }

  // Takes the fifth bit off codes.
  static HWY_INLINE uint32_t TakeFifthBits(LaneVec& code) {
    const LaneVec nibbles = hn::Set(LaneTag(), 16.0F);
    const auto above = hn::Ge(code, nibbles);
    code = hn::Sub(code, hn::IfThenElseZero(above, nibbles));
    return MaskBits(above);
  }

  HWY_INLINE void operator()(const float* x, float inverse, typename Format::Block& block) const {
    const LaneIntTag di;
    const LaneVec factor = hn::Set(LaneTag(), inverse);
    const LaneVec integers = hn::Set(LaneTag(), 0x1p23F);  // their bits end with what is added
    uint32_t fifth_bits = 0;
    for (size_t i = 0; i < 16; i += kLanes) {
      LaneVec low = Code(x + i, factor);
      LaneVec high = Code(x + i + 16, factor);
      if constexpr (Format::kHasFifthBit) {
        fifth_bits |= TakeFifthBits(low) << i;
        fifth_bits |= TakeFifthBits(high) << (i + 16);
      }
      const LaneVec both = hn::Add(PlusTimes(low, 16, high), integers);
      StoreBytes(hn::And(hn::BitCast(di, both), hn::Set(di, 255)), block.codes + i);
    }
    if constexpr (Format::kHasFifthBit) {
      block.high.Set(fifth_bits);
    }
  }
};

// Rounds a block's values to codes as ggml::Q80 does.
struct RoundCodes {
  HWY_INLINE void operator()(const float* x, float inverse, ggml::Q80::Block& block) const {
    const hn::Rebind<int8_t, LaneIntTag> bytes;
    const LaneVec factor = hn::Set(LaneTag(), inverse);
    for (size_t i = 0; i < 32; i += kLanes) {
      const LaneIntVec code = NearestAwayLanes(hn::Mul(hn::LoadU(LaneTag(), x + i), factor));
      hn::StoreU(hn::DemoteTo(bytes, code), bytes, block.codes + i);
    }
  }
};

// Of some blocks at once, so that one's divisions need not wait for another's.
template <typename Format>
class ScaledBlocks {
 public:
  static constexpr size_t kMost = 8 * kLanes;

  // extreme(blocks) gives an extreme of each of kLanes blocks, of which `top` is the code.
  template <typename Extreme>
  HWY_INLINE ScaledBlocks(const float* x, size_t count, float top, const Extreme& extreme)
      : x_(x), count_(count) {
    const LaneTag tag;
    for (size_t first = 0; first < count; first += kLanes) {
      const float* blocks[kLanes];  // the last one again where there are fewer
      for (size_t b = 0; b < kLanes; ++b) {
        blocks[b] = x + 32 * (first + b < count ? first + b : count - 1);
      }
      const LaneVec d = hn::Div(extreme(blocks), hn::Set(tag, top));
      StoreHalves(d, d_ + first);
      hn::Store(InverseOrZeroLanes(d), tag, inverses_ + first);
      hn::Store(hn::IfThenZeroElse(UsualScales(d), hn::Set(tag, 1.0F)), tag, odd_ + first);
    }
  }

  // code(x, inverse, block) sets a block's codes.
  template <typename Code>
  HWY_INLINE void Write(std::byte* out, const Code& code) const {
    using Block = typename Format::Block;
    for (size_t b = 0; b < count_; ++b) {
      auto* block = new (out + b * sizeof(Block)) Block;
      if (odd_[b] != 0) {
        Format::Encode(x_ + 32 * b, {}, *block);
      } else {
        block->d = d_[b];
        code(x_ + 32 * b, inverses_[b], *block);
      }
    }
  }

 private:
  const float* x_;
  size_t count_;
  ggml::Half d_[kMost];
  HWY_ALIGN float inverses_[kMost];
  HWY_ALIGN float odd_[kMost];
};

template <typename Format, typename Extreme, typename Code>
HWY_INLINE void EncodeScaled(const EncodeJob& job, float top, const Extreme& extreme,
                             const Code& code) {
  using Blocks = ScaledBlocks<Format>;
  const auto* x = reinterpret_cast<const float*>(job.values);
  const uint64_t blocks = job.elements / 32;
  for (uint64_t first = 0; first < blocks; first += Blocks::kMost) {
    const size_t count = blocks - first < Blocks::kMost ? blocks - first : Blocks::kMost;
    Blocks(x + 32 * first, count, top, extreme)
        .Write(job.planes[0] + first * sizeof(typename Format::Block), code);
  }
}

#endif
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
