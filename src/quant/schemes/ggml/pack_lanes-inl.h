// Codes of super-blocks to the bytes of their blocks, with a block in each lane: ggml's Pack
// functions. For files compiled per target (core/base/simd.h).
#if defined(LBRX_GGML_PACK_LANES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LBRX_GGML_PACK_LANES_INL_H
#undef LBRX_GGML_PACK_LANES_INL_H
#else
#define LBRX_GGML_PACK_LANES_INL_H
#endif

#include <cstddef>

#include "core/base/simd.h"
#include "hwy/highway.h"
#include "quant/schemes/ggml/k_minimum.h"
#include "quant/schemes/ggml/k_symmetric.h"
#include "quant/schemes/ggml/lanes-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
#if LBRX_SIMD

// A field of two bits for each of 256 elements, of which at(i) gives that of element i.
template <typename At>
HWY_INLINE void PackTwoBitLanes(const At& at, CodeWords<16>& words) {
  SetBytes(words, [&](size_t i) HWY_ATTR {
    const size_t first = 128 * (i / 32) + i % 32;
    const LaneVec lower = PlusTimes(at(first), 4, at(first + 32));
    return PlusTimes(lower, 16, PlusTimes(at(first + 64), 4, at(first + 96)));
  });
}

// Four bits.
template <typename At>
HWY_INLINE void PackFourBitLanes(const At& at, CodeWords<32>& words) {
  SetBytes(words, [&](size_t i) HWY_ATTR {
    const size_t first = 64 * (i / 32) + i % 32;
    return PlusTimes(at(first), 16, at(first + 32));
  });
}

// One bit: element 32 q + i is bit q of byte i.
template <typename At>
HWY_INLINE void PackBitLanes(const At& at, CodeWords<8>& words) {
  SetBytes(words, [&](size_t i) HWY_ATTR {
    LaneVec byte = at(i);
    for (size_t q = 1; q < 8; ++q) {
      byte = PlusTimes(byte, static_cast<float>(1 << q), at(32 * q + i));
    }
    return byte;
  });
}

template <typename Format>
struct PackedLanes;

template <>
struct PackedLanes<ggml::Q2K> {
  CodeWords<16> codes;

  HWY_INLINE explicit PackedLanes(const float* of) {
    PackTwoBitLanes([&](size_t i) HWY_ATTR { return LoadLanes(of, i); }, codes);
  }

  HWY_INLINE void Fill(size_t b, ggml::Q2K::Block& block) const { codes.Copy(b, block.codes); }
};

template <>
struct PackedLanes<ggml::Q3K> {
  CodeWords<16> codes;
  CodeWords<8> high;

  HWY_INLINE explicit PackedLanes(const float* of) {
    const SplitCodes split{of, 4.0F};
    PackTwoBitLanes([&](size_t i) HWY_ATTR { return split.Lower(i); }, codes);
    PackBitLanes([&](size_t i) HWY_ATTR { return split.Upper(i); }, high);
  }

  HWY_INLINE void Fill(size_t b, ggml::Q3K::Block& block) const {
    codes.Copy(b, block.codes);
    high.Copy(b, block.high);
  }
};

template <>
struct PackedLanes<ggml::Q4K> {
  CodeWords<32> codes;

  HWY_INLINE explicit PackedLanes(const float* of) {
    PackFourBitLanes([&](size_t i) HWY_ATTR { return LoadLanes(of, i); }, codes);
  }

  HWY_INLINE void Fill(size_t b, ggml::Q4K::Block& block) const { codes.Copy(b, block.codes); }
};

template <>
struct PackedLanes<ggml::Q5K> {
  CodeWords<32> codes;
  CodeWords<8> high;

  HWY_INLINE explicit PackedLanes(const float* of) {
    const SplitCodes split{of, 16.0F};
    PackFourBitLanes([&](size_t i) HWY_ATTR { return split.Lower(i); }, codes);
    PackBitLanes([&](size_t i) HWY_ATTR { return split.Upper(i); }, high);
  }

  HWY_INLINE void Fill(size_t b, ggml::Q5K::Block& block) const {
    codes.Copy(b, block.codes);
    high.Copy(b, block.high);
  }
};

template <>
struct PackedLanes<ggml::Q6K> {
  CodeWords<32> low;
  CodeWords<16> high;

  HWY_INLINE explicit PackedLanes(const float* of) {
    const auto upper = [&](size_t i) HWY_ATTR {
      return hn::Trunc(hn::Mul(LoadLanes(of, i), hn::Set(LaneTag(), 0.0625F)));
    };
    const auto lower = [&](size_t i)
                           HWY_ATTR { return PlusTimes(LoadLanes(of, i), -16, upper(i)); };
    SetBytes(low, [&](size_t i) HWY_ATTR {
      const size_t first = 128 * (i / 64) + i % 64;
      return PlusTimes(lower(first), 16, lower(first + 64));
    });
    PackTwoBitLanes(upper, high);
  }

  HWY_INLINE void Fill(size_t b, ggml::Q6K::Block& block) const {
    low.Copy(b, block.low);
    high.Copy(b, block.high);
  }
};

#endif
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
