// The IQ4 encoders on vectors: a lane holds a group and does with it exactly what iq4.cc does.
#include <cstring>

#include "core/base/simd.h"
#include "quant/schemes/ggml/iq4.h"
#include "quant/schemes/ggml/iq_blocks.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/schemes/ggml/iq4_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h.
#include "core/tensor/float_lanes-inl.h"
#include "quant/schemes/ggml/iq_tables-inl.h"
#include "quant/schemes/transpose-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

constexpr size_t kSize = kIq4Group * kFloatLanes;

// The numbers of a bisection. Codes are found from above: bits say "less than", so that what is no
// number gets the last code.
struct Numbers {
  float ties[3][8];  // of the second to the fourth question
  float even[8];     // steps of the codes 15, 13...
  float odd[8];      // 14, 12...

  constexpr Numbers() : ties{}, even{}, odd{} {
    for (int i = 0; i < 8; ++i) {
      ties[0][i] = kIq4Ties[i % 2 == 0 ? 11 : 3];
      ties[1][i] = kIq4Ties[13 - 4 * (i % 4)];
      ties[2][i] = kIq4Ties[14 - 2 * i];
      even[i] = kIq4Steps[15 - 2 * i];
      odd[i] = kIq4Steps[14 - 2 * i];
    }
  }
};

constexpr Numbers kNumbers;

// The nearest of the steps.
class Steps {
 public:
  HWY_INLINE Steps()
      : second_(kNumbers.ties[0]),
        third_(kNumbers.ties[1]),
        fourth_(kNumbers.ties[2]),
        even_(kNumbers.even),
        odd_(kNumbers.odd) {}

  HWY_INLINE FloatVec Step(FloatVec value) const {
    const IntVec pair = Pair(value);
    const auto less = hn::Lt(value, fourth_.At(pair));
    return hn::IfThenElse(less, odd_.At(pair), even_.At(pair));
  }

  HWY_INLINE IntVec Code(FloatVec value) const {
    const IntVec pair = Pair(value);
    const IntVec below = Append(pair, hn::Lt(value, fourth_.At(pair)));
    return hn::Sub(hn::Set(IntTag(), 15), below);
  }

 private:
  template <typename Mask>
  static HWY_INLINE IntVec Append(IntVec bits, Mask bit) {
    return hn::Sub(hn::Add(bits, bits), hn::BitCast(IntTag(), hn::VecFromMask(FloatTag(), bit)));
  }

  // 0 for the codes 15 and 14, to 7.
  HWY_INLINE IntVec Pair(FloatVec value) const {
    const auto first = hn::Lt(value, hn::Set(FloatTag(), kIq4Ties[7]));
    IntVec bits = Append(hn::Zero(IntTag()), first);
    bits = Append(bits, hn::Lt(value, second_.At(bits)));
    return Append(bits, hn::Lt(value, third_.At(bits)));
  }

  EightNumbers second_;
  EightNumbers third_;
  EightNumbers fourth_;
  EightNumbers even_;
  EightNumbers odd_;
};

// Groups side by side: value i of all of them, then value i + 1.
struct Groups {
  alignas(32) float x[kSize];
  alignas(32) float w[kSize];
};

// `rows`: kFloatLanes of them.
HWY_INLINE void Transpose(const float* const* rows, float* lanes) {
  const FloatTag d;
  for (size_t i = 0; i < kIq4Group; i += kFloatLanes) {
    FloatVec in[kFloatLanes];
    FloatVec out[kFloatLanes];
    for (size_t g = 0; g < kFloatLanes; ++g) {
      in[g] = hn::LoadU(d, rows[g] + i);
    }
    TransposeSquare(in, out);
    for (size_t k = 0; k < kFloatLanes; ++k) {
      hn::Store(out[k], d, lanes + (i + k) * kFloatLanes);
    }
  }
}

// Twice the mean of each group's squares.
HWY_INLINE FloatVec MeanSquares(const Groups& groups) {
  const FloatTag d;
  FloatVec sum = hn::Zero(d);
  for (size_t i = 0; i < kSize; i += kFloatLanes) {
    const FloatVec x = hn::Load(d, groups.x + i);
    sum = hn::Add(sum, hn::Mul(x, x));
  }
  return hn::Mul(sum, hn::Set(d, 2.0F / kIq4Group));
}

HWY_INLINE void WeighBySquares(Groups& groups) {
  const FloatTag d;
  for (size_t i = 0; i < kSize; i += kFloatLanes) {
    const FloatVec x = hn::Load(d, groups.x + i);
    hn::Store(hn::Mul(x, x), d, groups.w + i);
  }
}

HWY_INLINE void Weigh(const float* const* importance, FloatVec mean_square, Groups& groups) {
  const FloatTag d;
  Transpose(importance, groups.w);
  for (size_t i = 0; i < kSize; i += kFloatLanes) {
    const FloatVec x = hn::Load(d, groups.x + i);
    const FloatVec root = hn::Sqrt(hn::Add(mean_square, hn::Mul(x, x)));
    hn::Store(hn::Mul(hn::Load(d, groups.w + i), root), d, groups.w + i);
  }
}

struct Sums {
  FloatVec qx;
  FloatVec qq;

  HWY_INLINE Sums() : qx(hn::Zero(FloatTag())), qq(qx) {}

  HWY_INLINE void Add(FloatVec w, FloatVec q, FloatVec x) {
    const FloatVec wq = hn::Mul(w, q);
    qx = hn::Add(qx, hn::Mul(wq, x));
    qq = hn::Add(qq, hn::Mul(wq, q));
  }
};

// The search for the scales of groups.
class Search {
 public:
  HWY_INLINE Search(const Groups& groups, const Steps& steps)
      : groups_(groups), steps_(steps), scale_(hn::Zero(FloatTag())), score_(scale_) {}

  HWY_INLINE FloatVec Find() {
    const FloatTag d;
    const FloatVec max = Max();
    const FloatVec first = hn::Set(d, kIq4Steps[0]);
    const FloatVec one = hn::Set(d, 1.0F);
    Sums start;
    Sums sums;
    SumTwo(hn::Div(one, hn::Div(hn::Neg(max), first)), At(-kIq4Tries, max), start, sums);
    const auto some = hn::Gt(start.qq, hn::Zero(d));
    scale_ = hn::IfThenElseZero(some, hn::Div(start.qx, start.qq));
    score_ = hn::Mul(scale_, start.qx);
    Keep(sums);
    for (int t = 1 - kIq4Tries; t <= kIq4Tries; t += 2) {
      Sums second;
      sums = Sums();
      SumTwo(At(t, max), At(t + 1, max), sums, second);
      Keep(sums);
      Keep(second);
    }
    const auto zeros = hn::Lt(hn::Abs(max), hn::Set(d, kIq4Least));
    return hn::IfThenElse(zeros, hn::Zero(d), scale_);
  }

 private:
  // The values of largest magnitude, of equals the first.
  HWY_INLINE FloatVec Max() const {
    const FloatTag d;
    FloatVec max = hn::Zero(d);
    for (size_t i = 0; i < kSize; i += kFloatLanes) {
      const FloatVec x = hn::Load(d, groups_.x + i);
      max = hn::IfThenElse(hn::Gt(hn::Abs(x), hn::Abs(max)), x, max);
    }
    return max;
  }

  static HWY_INLINE FloatVec At(int t, FloatVec max) {
    const FloatTag d;
    return hn::Div(hn::Set(d, static_cast<float>(t) + kIq4Steps[0]), max);
  }

  HWY_INLINE void SumTwo(FloatVec a, FloatVec b, Sums& first, Sums& second) const {
    const FloatTag d;
    for (size_t i = 0; i < kSize; i += kFloatLanes) {
      const FloatVec x = hn::Load(d, groups_.x + i);
      const FloatVec w = hn::Load(d, groups_.w + i);
      first.Add(w, steps_.Step(hn::Mul(a, x)), x);
      second.Add(w, steps_.Step(hn::Mul(b, x)), x);
    }
  }

  HWY_INLINE void Keep(const Sums& sums) {
    const FloatTag d;
    const auto better = hn::And(hn::Gt(sums.qq, hn::Zero(d)),
                                hn::Gt(hn::Mul(sums.qx, sums.qx), hn::Mul(score_, sums.qq)));
    scale_ = hn::IfThenElse(better, hn::Div(sums.qx, sums.qq), scale_);
    score_ = hn::IfThenElse(better, hn::Mul(scale_, sums.qx), score_);
  }

  const Groups& groups_;
  const Steps& steps_;
  FloatVec scale_;
  FloatVec score_;
};

// Codes of `count` groups at their scales; codes[g]: where those of group g go.
HWY_INLINE void WriteCodes(const Groups& groups, const Steps& steps, FloatVec scale, size_t count,
                           uint8_t* const* codes) {
  const FloatTag d;
  const IntTag di;
  const auto zero = hn::Eq(scale, hn::Zero(d));
  const FloatVec inverse = hn::IfThenZeroElse(zero, hn::Div(hn::Set(d, 1.0F), scale));
  for (size_t i = 0; i < kIq4Group / 2; ++i) {
    const FloatVec low = hn::Load(d, groups.x + i * kFloatLanes);
    const FloatVec high = hn::Load(d, groups.x + (i + kIq4Group / 2) * kFloatLanes);
    const IntVec bytes = hn::Or(steps.Code(hn::Mul(inverse, low)),
                                hn::ShiftLeft<4>(steps.Code(hn::Mul(inverse, high))));
    alignas(32) int32_t lanes[kFloatLanes];
    hn::Store(bytes, di, lanes);
    for (size_t g = 0; g < count; ++g) {
      codes[g][i] = static_cast<uint8_t>(lanes[g]);
    }
  }
}

void EncodeNl(const EncodeJob& job) {
  const FloatTag d;
  const Steps steps;
  const auto* values = reinterpret_cast<const float*>(job.values);
  auto* out = reinterpret_cast<uint8_t*>(job.planes[0]);
  Groups groups;
  for (uint64_t done = 0; done < job.elements; done += kSize) {
    const uint64_t left = (job.elements - done) / kIq4Group;
    const size_t count = left < kFloatLanes ? left : kFloatLanes;
    const float* rows[kFloatLanes];
    const float* importance[kFloatLanes] = {};
    uint8_t* codes[kFloatLanes];
    for (size_t g = 0; g < kFloatLanes; ++g) {  // lanes that are too many repeat the first group
      const uint64_t at = done + (g < count ? g : 0) * kIq4Group;
      rows[g] = values + at;
      importance[g] = job.importance == nullptr ? nullptr : job.importance + at % job.columns;
      codes[g] = out + at / kIq4Group * kIq4NlBytes + 2;
    }
    Transpose(rows, groups.x);
    if (job.importance == nullptr) {
      WeighBySquares(groups);
    } else {
      Weigh(importance, MeanSquares(groups), groups);
    }
    const FloatVec scale = Search(groups, steps).Find();
    WriteCodes(groups, steps, scale, count, codes);
    alignas(32) float scales[kFloatLanes];
    hn::Store(scale, d, scales);
    for (size_t g = 0; g < count; ++g) {
      PutIqHalf(codes[g] - 2, scales[g]);
    }
  }
}

void EncodeXsBlock(const Steps& steps, const float* x, const float* importance, uint8_t* block) {
  const FloatTag d;
  constexpr size_t kGroups = kIqBlock / kIq4Group;
  constexpr size_t kParts = kGroups / kFloatLanes;
  const FloatVec mean_square = hn::Set(d, importance == nullptr ? 0 : Iq4MeanSquare(x, kIqBlock));
  Groups parts[kParts];
  float scales[kGroups];
  for (size_t p = 0; p < kParts; ++p) {
    const float* rows[kFloatLanes];
    const float* weights[kFloatLanes];
    for (size_t g = 0; g < kFloatLanes; ++g) {
      const size_t at = p * kSize + g * kIq4Group;
      rows[g] = x + at;
      weights[g] = importance == nullptr ? nullptr : importance + at;
    }
    Transpose(rows, parts[p].x);
    if (importance == nullptr) {
      WeighBySquares(parts[p]);
    } else {
      Weigh(weights, mean_square, parts[p]);
    }
    hn::StoreU(Search(parts[p], steps).Find(), d, scales + p * kFloatLanes);
  }
  PutIq4XsScales(scales, block);
  for (size_t p = 0; p < kParts; ++p) {
    uint8_t* codes[kFloatLanes];
    for (size_t g = 0; g < kFloatLanes; ++g) {
      codes[g] = block + kIq4XsCodes + (p * kFloatLanes + g) * kIq4Group / 2;
    }
    WriteCodes(parts[p], steps, hn::LoadU(d, scales + p * kFloatLanes), kFloatLanes, codes);
  }
}

void EncodeXs(const EncodeJob& job) {
  const Steps steps;
  const auto* values = reinterpret_cast<const float*>(job.values);
  auto* out = reinterpret_cast<uint8_t*>(job.planes[0]);
  for (uint64_t i = 0; i < job.elements; i += kIqBlock) {
    EncodeXsBlock(steps, values + i,
                  job.importance == nullptr ? nullptr : job.importance + i % job.columns,
                  out + i / kIqBlock * kIq4XsBytes);
  }
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx {

void EncodeIq4Nl(const EncodeJob& job) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(EncodeIq4NlReference, EncodeNl);
  kTable.Get()(job);
}

void EncodeIq4Xs(const EncodeJob& job) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(EncodeIq4XsReference, EncodeXs);
  kTable.Get()(job);
}

}  // namespace lbrx
#endif
