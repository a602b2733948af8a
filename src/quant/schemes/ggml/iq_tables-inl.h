// Tables of eight and of four numbers in vectors, and sums over the digits of a grid's points. For
// files compiled per target (core/base/simd.h).
#if defined(LBRX_IQ_TABLES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LBRX_IQ_TABLES_INL_H
#undef LBRX_IQ_TABLES_INL_H
#else
#define LBRX_IQ_TABLES_INL_H
#endif

#include <cfloat>
#include <cstdint>
#include <span>

#include "core/base/simd.h"
#include "core/tensor/float_lanes-inl.h"
#include "hwy/highway.h"
#include "quant/schemes/transpose-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
#if LBRX_SIMD

// Numbers 0 to 7.
class EightNumbers {
 public:
  HWY_INLINE explicit EightNumbers(const float* numbers)
      : EightNumbers(hn::LoadU(FloatTag(), numbers),
                     hn::LoadU(FloatTag(), numbers + 8 - kFloatLanes)) {}

  // Vectors of four lanes: the first and the last four numbers; of eight: twice the same.
  HWY_INLINE EightNumbers(FloatVec low, FloatVec high) : low_(low), high_(high) {}

  // Those that the lowest three bits of each lane name; other bits do not count.
  HWY_INLINE FloatVec At(IntVec i) const {
    const FloatTag d;
    if constexpr (kFloatLanes == 8) {
      return hn::TableLookupLanes(low_, hn::IndicesFromVec(d, i));
    } else {
      const auto indices = hn::IndicesFromVec(d, hn::And(i, hn::Set(IntTag(), 3)));
      const auto above = hn::RebindMask(d, hn::TestBit(i, hn::Set(IntTag(), 4)));
      return hn::IfThenElse(above, hn::TableLookupLanes(high_, indices),
                            hn::TableLookupLanes(low_, indices));
    }
  }

 private:
  FloatVec low_;
  FloatVec high_;
};

// Numbers 0 to 3.
class FourNumbers {
 public:
  // Lane i has number i % 4.
  HWY_INLINE explicit FourNumbers(FloatVec numbers) : numbers_(numbers) {}

  // Those that the lowest two bits of each lane name; other bits do not count.
  HWY_INLINE FloatVec At(IntVec i) const {
    const FloatTag d;
#if HWY_ARCH_X86
    if constexpr (kFloatLanes == 8) {  // within halves, which is faster than across
      return FloatVec{_mm256_permutevar_ps(numbers_.raw, i.raw)};
    } else
#endif
    {
      return hn::TableLookupLanes(numbers_,
                                  hn::IndicesFromVec(d, hn::And(i, hn::Set(IntTag(), 3))));
    }
  }

 private:
  FloatVec numbers_;
};

// Vectors of the lower halves of eight lanes, twice; four lanes as they are.
HWY_INLINE FloatVec LowerHalves(FloatVec v) {
  if constexpr (kFloatLanes == 8) {
    return hn::ConcatLowerLower(FloatTag(), v, v);
  } else {
    return v;
  }
}

HWY_INLINE FloatVec UpperHalves(FloatVec v) {
  if constexpr (kFloatLanes == 8) {
    return hn::ConcatUpperUpper(FloatTag(), v, v);
  } else {
    return v;
  }
}

// Lane i of three vectors as the numbers 0 to 2 in at[i] (3: as 2), lane i + 4 in its upper half.
struct FourColumns {
  FloatVec at[4];

  HWY_INLINE FourColumns(FloatVec a, FloatVec b, FloatVec c) {
    const FloatVec rows[4] = {a, b, c, c};
    TransposeBlocks(rows, at);
  }
};

// Sums over the digits of points (a lane each) of numbers that depend on place and digit.
class ThreeBitSums {
 public:
  // `at(i)`: the numbers of place i.
  template <typename At>
  HWY_INLINE explicit ThreeBitSums(const At& at)
      : first_(at(0)), second_(at(1)), third_(at(2)), fourth_(at(3)) {}

  HWY_INLINE FloatVec Of(IntVec words) const {
    FloatVec sum = hn::Add(first_.At(words), second_.At(hn::ShiftRight<3>(words)));
    sum = hn::Add(sum, third_.At(hn::ShiftRight<6>(words)));
    return hn::Add(sum, fourth_.At(hn::ShiftRight<9>(words)));
  }

 private:
  EightNumbers first_;
  EightNumbers second_;
  EightNumbers third_;
  EightNumbers fourth_;
};

class TwoBitSums {
 public:
  // `levels(i)`: the numbers of the digits 0, 1, 2 and 2 again, for the places from i on.
  template <typename Levels>
  HWY_INLINE explicit TwoBitSums(const Levels& levels)
      : TwoBitSums(levels(0), levels(8 - kFloatLanes)) {}

  HWY_INLINE FloatVec Of(IntVec words) const {
    FloatVec sum = hn::Add(digits0_.At(words), digits1_.At(hn::ShiftRight<2>(words)));
    sum = hn::Add(sum, digits2_.At(hn::ShiftRight<4>(words)));
    sum = hn::Add(sum, digits3_.At(hn::ShiftRight<6>(words)));
    sum = hn::Add(sum, digits4_.At(hn::ShiftRight<8>(words)));
    sum = hn::Add(sum, digits5_.At(hn::ShiftRight<10>(words)));
    sum = hn::Add(sum, digits6_.At(hn::ShiftRight<12>(words)));
    return hn::Add(sum, digits7_.At(hn::ShiftRight<14>(words)));
  }

 private:
  HWY_INLINE TwoBitSums(const FourColumns& low, const FourColumns& high)
      : digits0_(LowerHalves(low.at[0])),
        digits1_(LowerHalves(low.at[1])),
        digits2_(LowerHalves(low.at[2])),
        digits3_(LowerHalves(low.at[3])),
        digits4_(UpperHalves(high.at[0])),
        digits5_(UpperHalves(high.at[1])),
        digits6_(UpperHalves(high.at[2])),
        digits7_(UpperHalves(high.at[3])) {}

  FourNumbers digits0_;
  FourNumbers digits1_;
  FourNumbers digits2_;
  FourNumbers digits3_;
  FourNumbers digits4_;
  FourNumbers digits5_;
  FourNumbers digits6_;
  FourNumbers digits7_;
};

// root * (scale * odd - x)^2 as the reference multiplies.
HWY_INLINE FloatVec ErrorOf(FloatVec scaled, FloatVec x, FloatVec root) {
  const FloatVec error = hn::Sub(scaled, x);
  return hn::Mul(hn::Mul(root, error), error);
}

// Bit i: lane i.
template <typename Tag>
HWY_INLINE uint32_t MaskBits(Tag d, hn::Mask<Tag> mask) {
  uint8_t bits[8] = {};  // as many as Highway may write
  hn::StoreMaskBits(d, mask, bits);
  return bits[0];
}

HWY_INLINE IntVec LoadWords(const uint16_t* words) {
  return hn::BitCast(IntTag(), hn::PromoteTo(BitsTag(), hn::LoadU(HalfBitsTag(), words)));
}

// The first of the words with the least error.
template <typename Sums>
HWY_INLINE uint16_t NearestPoint(const Sums& errors, std::span<const uint16_t> words) {
  const FloatTag d;
  float least = FLT_MAX;
  uint16_t best = words[0];
  for (size_t i = 0; i < words.size(); i += kFloatLanes) {
    alignas(32) float lanes[kFloatLanes];
    hn::Store(errors.Of(LoadWords(words.data() + i)), d, lanes);
    for (size_t j = i; j < i + kFloatLanes && j < words.size(); ++j) {
      if (lanes[j - i] < least) {
        least = lanes[j - i];
        best = words[j];
      }
    }
  }
  return best;
}

#endif
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
