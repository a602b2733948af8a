// Tables of eight and of four numbers in vectors. For files compiled per target
// (core/base/simd.h).
#if defined(LBRX_IQ_TABLES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LBRX_IQ_TABLES_INL_H
#undef LBRX_IQ_TABLES_INL_H
#else
#define LBRX_IQ_TABLES_INL_H
#endif

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

#endif
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
