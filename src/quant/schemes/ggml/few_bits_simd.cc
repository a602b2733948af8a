// Encoding of the formats of ternary digits on vectors: a block after another.
#include "core/base/simd.h"
#include "quant/schemes/ggml/few_bits.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/schemes/ggml/few_bits_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h.
#include "quant/schemes/ggml/rows_lanes-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

// The largest magnitude; not a number where a value is none.
template <size_t kSize>
HWY_INLINE LaneVec MagnitudeOf(const float* x) {
  const LaneIntTag d;
  LaneIntVec most = hn::Zero(d);
  for (size_t i = 0; i < kSize; i += kLanes) {
    most = hn::Max(most, hn::And(BitsAt(x + i), hn::Set(d, 0x7FFFFFFF)));
  }
  return hn::BitCast(LaneTag(), hn::MaxOfLanes(d, most));
}

// The codes of values as integers from 0 on: -1, 0, 1 and, for what it is worth, 2.
struct Digits {
  LaneVec inverse;

  HWY_INLINE LaneIntVec At(const float* x) const {
    const LaneVec value = hn::Mul(hn::LoadU(LaneTag(), x), inverse);
    return hn::Add(NearestAwayLanes(value), hn::Set(LaneIntTag(), 1));
  }
};

// pack(x, digits, block) sets a block's codes.
template <typename Format, typename Pack>
HWY_INLINE void EncodeEach(const EncodeJob& job, const Pack& pack) {
  using Block = typename Format::Block;
  const auto* values = reinterpret_cast<const float*>(job.values);
  std::byte* out = job.planes[0];
  for (uint64_t i = 0; i < job.elements; i += Format::kElements) {
    const float* x = values + i;
    auto* block = new (out) Block{};
    out += sizeof(Block);
    const LaneVec d = MagnitudeOf<Format::kElements>(x);
    if (!hn::AllTrue(LaneTag(), UsualScales(d))) {
      Format::Encode(x, {}, *block);
      continue;
    }
    ggml::Half halves[kLanes];
    StoreHalves(d, halves);
    block->d = halves[0];
    pack(x, Digits{InverseOrZeroLanes(d)}, *block);
  }
}

// Digits of values `stride` apart, the first one lowest, two bits each.
HWY_INLINE LaneIntVec FourDigits(const float* x, size_t stride, const Digits& digits) {
  const LaneIntVec low = hn::Or(digits.At(x), hn::ShiftLeft<2>(digits.At(x + stride)));
  const LaneIntVec high =
      hn::Or(digits.At(x + 2 * stride), hn::ShiftLeft<2>(digits.At(x + 3 * stride)));
  return hn::Or(low, hn::ShiftLeft<4>(high));
}

void EncodeTq20(const EncodeJob& job) {
  using ggml::Tq20;
  EncodeEach<Tq20>(job, [](const float* x, const Digits& digits, Tq20::Block& block) HWY_ATTR {
    for (size_t half = 0; half < 2; ++half) {
      for (size_t i = 0; i < 32; i += kLanes) {
        StoreBytes(FourDigits(x + 128 * half + i, 32, digits), block.codes + 32 * half + i);
      }
    }
  });
}

// Bytes of `kDigits` digits in base 3, as Tq10 has them, of values `stride` apart.
template <size_t kDigits>
HWY_INLINE LaneIntVec Base3(const float* x, size_t stride, const Digits& digits) {
  const LaneIntTag d;
  LaneIntVec number = digits.At(x);
  for (size_t n = 1; n < 5; ++n) {
    number = hn::Add(number, hn::ShiftLeft<1>(number));
    if (n < kDigits) {
      number = hn::Add(number, digits.At(x + n * stride));
    }
  }
  // (256 number + 242) / 243, exact for numbers below 243.
  const LaneIntVec scaled = hn::Add(hn::ShiftLeft<8>(number), hn::Set(d, 242));
  return hn::ShiftRight<22>(hn::Mul(scaled, hn::Set(d, 17261)));
}

void EncodeTq10(const EncodeJob& job) {
  using ggml::Tq10;
  EncodeEach<Tq10>(job, [](const float* x, const Digits& digits, Tq10::Block& block) HWY_ATTR {
    for (size_t i = 0; i < 32; i += kLanes) {
      StoreBytes(Base3<5>(x + i, 32, digits), block.fives + i);
    }
    for (size_t i = 0; i < 16; i += kLanes) {
      StoreBytes(Base3<5>(x + 160 + i, 16, digits), block.fives + 32 + i);
    }
    // The last 16 values, with room behind them.
    HWY_ALIGN float last[16 + kLanes] = {};
    std::memcpy(last, x + 240, 16 * sizeof(float));
    uint8_t bytes[kLanes];
    StoreBytes(Base3<4>(last, 4, digits), bytes);
    std::memcpy(block.fours, bytes, sizeof(block.fours));
  });
}

void EncodeQ20(const EncodeJob& job) {
  using ggml::Q20;
  EncodeEach<Q20>(job, [](const float* x, const Digits& digits, Q20::Block& block) HWY_ATTR {
    const hn::ScalableTag<uint8_t> bytes;
    const hn::Repartition<uint32_t, decltype(bytes)> words;
    HWY_ALIGN uint8_t codes[64];
    for (size_t i = 0; i < 64; i += kLanes) {
      StoreBytes(digits.At(x + i), codes + i);
    }
    // Of each word the bytes' two bits together in the lowest byte.
    for (size_t i = 0; i < 16; i += hn::Lanes(words)) {
      const auto four = hn::BitCast(words, hn::Load(bytes, codes + 4 * i));
      const auto pairs = hn::Or(four, hn::ShiftRight<6>(four));
      const auto packed = hn::Or(pairs, hn::ShiftRight<12>(pairs));
      const auto lowest = hn::And(packed, hn::Set(words, 255));
      StoreBytes(hn::BitCast(LaneIntTag(), lowest), block.codes + i);
    }
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
void EncodeBlocks<Tq10>(const EncodeJob& job) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(EncodeBlocksReference<Tq10>, EncodeTq10);
  kTable.Get()(job);
}

template <>
void EncodeBlocks<Tq20>(const EncodeJob& job) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(EncodeBlocksReference<Tq20>, EncodeTq20);
  kTable.Get()(job);
}

template <>
void EncodeBlocks<Q20>(const EncodeJob& job) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(EncodeBlocksReference<Q20>, EncodeQ20);
  kTable.Get()(job);
}

}  // namespace lbrx::ggml
#endif
