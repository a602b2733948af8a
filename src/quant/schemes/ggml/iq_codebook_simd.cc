// The search of iq_codebook_search.cc on vectors. Rounding and sums: a lane holds a scale that is
// tried. Points near a string: a lane holds a point, and the error of each digit comes from a
// table, since digits are few. Every sum runs in the scalar order.
#include <algorithm>
#include <array>
#include <bit>
#include <cfloat>

#include "core/base/simd.h"
#include "quant/schemes/ggml/iq_blocks.h"
#include "quant/schemes/ggml/iq_codebook.h"
#include "quant/schemes/ggml/iq_neighbours.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/schemes/ggml/iq_codebook_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h.
#include "core/tensor/float_lanes-inl.h"
#include "quant/schemes/ggml/iq_tables-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

// Digits stand for odd numbers while scales are sought.
constexpr float kOdd[8] = {1, 3, 5, 7, 9, 11, 13, 15};
constexpr float kOddTwice[8] = {1, 3, 5, 7, 1, 3, 5, 7};
constexpr int32_t kLaneNumbers[8] = {0, 1, 2, 3, 4, 5, 6, 7};

// root * (scale * odd - x)^2 as the reference multiplies.
HWY_INLINE FloatVec ErrorOf(FloatVec scaled, FloatVec x, FloatVec root) {
  const FloatVec error = hn::Sub(scaled, x);
  return hn::Mul(hn::Mul(root, error), error);
}

// The errors of four digits of 3 bits.
class ThreeBitErrors {
 public:
  HWY_INLINE ThreeBitErrors(const float* x, const float* root, float scale)
      : first_(Digit(x[0], root[0], scale)),
        second_(Digit(x[1], root[1], scale)),
        third_(Digit(x[2], root[2], scale)),
        fourth_(Digit(x[3], root[3], scale)) {}

  HWY_INLINE FloatVec Of(IntVec words) const {
    FloatVec sum = hn::Add(first_.At(words), second_.At(hn::ShiftRight<3>(words)));
    sum = hn::Add(sum, third_.At(hn::ShiftRight<6>(words)));
    return hn::Add(sum, fourth_.At(hn::ShiftRight<9>(words)));
  }

 private:
  static HWY_INLINE EightNumbers Digit(float x, float root, float scale) {
    return {Part(0, x, root, scale), Part(8 - kFloatLanes, x, root, scale)};
  }

  static HWY_INLINE FloatVec Part(size_t digit, float x, float root, float scale) {
    const FloatTag d;
    const FloatVec odd = hn::LoadU(d, kOdd + digit);
    return ErrorOf(hn::Mul(hn::Set(d, scale), odd), hn::Set(d, x), hn::Set(d, root));
  }

  EightNumbers first_;
  EightNumbers second_;
  EightNumbers third_;
  EightNumbers fourth_;
};

// The errors of eight digits of 2 bits.
class TwoBitErrors {
 public:
  HWY_INLINE TwoBitErrors(const float* x, const float* root, float scale)
      : TwoBitErrors(Columns(x, root, scale),
                     Columns(x + 8 - kFloatLanes, root + 8 - kFloatLanes, scale)) {}

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
  // For positions 0 to 3 (and 4 to 7 in the upper halves of eight lanes): the errors of the digits
  // 0, 1, 2 and 2 again.
  struct Four {
    FloatVec at[4];

    HWY_INLINE explicit Four(const FloatVec* levels) { TransposeBlocks(levels, at); }
  };

  HWY_INLINE TwoBitErrors(const Four& low, const Four& high)
      : digits0_(Low(low.at[0])),
        digits1_(Low(low.at[1])),
        digits2_(Low(low.at[2])),
        digits3_(Low(low.at[3])),
        digits4_(High(high.at[0])),
        digits5_(High(high.at[1])),
        digits6_(High(high.at[2])),
        digits7_(High(high.at[3])) {}

  static HWY_INLINE Four Columns(const float* x, const float* root, float scale) {
    const FloatTag d;
    const FloatVec values = hn::LoadU(d, x);
    const FloatVec roots = hn::LoadU(d, root);
    FloatVec levels[4];
    levels[0] = ErrorOf(hn::Set(d, scale), values, roots);
    levels[1] = ErrorOf(hn::Set(d, scale * 3), values, roots);
    levels[2] = ErrorOf(hn::Set(d, scale * 5), values, roots);
    levels[3] = levels[2];
    return Four(levels);
  }

  static HWY_INLINE FloatVec Low(FloatVec v) {
    if constexpr (kFloatLanes == 8) {
      return hn::ConcatLowerLower(FloatTag(), v, v);
    } else {
      return v;
    }
  }

  static HWY_INLINE FloatVec High(FloatVec v) {
    if constexpr (kFloatLanes == 8) {
      return hn::ConcatUpperUpper(FloatTag(), v, v);
    } else {
      return v;
    }
  }

  FourNumbers digits0_;
  FourNumbers digits1_;
  FourNumbers digits2_;
  FourNumbers digits3_;
  FourNumbers digits4_;
  FourNumbers digits5_;
  FourNumbers digits6_;
  FourNumbers digits7_;
};

// Bit i: lane i.
template <typename Tag>
HWY_INLINE uint32_t MaskBits(Tag d, hn::Mask<Tag> mask) {
  uint8_t bits[8] = {};  // as many as Highway may write
  hn::StoreMaskBits(d, mask, bits);
  return bits[0];
}

// A point that stands for a string.
struct Choice {
  uint16_t word;
  bool sure;  // the errors of all others are larger by more than a margin
};

// The least errors that lanes have seen.
struct Least {
  FloatVec least;
  FloatVec second;
  IntVec place;

  HWY_INLINE Least()
      : least(hn::Set(FloatTag(), FLT_MAX)), second(least), place(hn::Zero(IntTag())) {}

  HWY_INLINE void Add(FloatVec error, IntVec at) {
    second = hn::Min(second, hn::Max(least, error));
    const auto better = hn::Lt(error, least);
    least = hn::IfThenElse(better, error, least);
    place = hn::IfThenElse(hn::RebindMask(IntTag(), better), at, place);
  }
};

// The first of the words with the least error.
template <typename Errors>
HWY_INLINE Choice Choose(const Errors& errors, std::span<const uint16_t> words, float margin) {
  const FloatTag d;
  const IntTag di;
  const IntVec step = hn::Set(di, static_cast<int>(kFloatLanes));
  IntVec at = hn::LoadU(di, kLaneNumbers);
  Least best;
  const uint16_t* data = words.data();
  const auto load = [&](size_t i) HWY_ATTR {
    return hn::BitCast(di, hn::PromoteTo(BitsTag(), hn::LoadU(HalfBitsTag(), data + i)));
  };
  size_t i = 0;
  for (; i + kFloatLanes < words.size(); i += kFloatLanes) {
    best.Add(errors.Of(load(i)), at);
    at = hn::Add(at, step);
  }
  const auto in = hn::RebindMask(d, hn::Lt(at, hn::Set(di, static_cast<int>(words.size()))));
  best.Add(hn::IfThenElse(in, errors.Of(load(i)), hn::Set(d, FLT_MAX)), at);

  const FloatVec least = hn::MinOfLanes(d, best.least);
  const FloatVec limit = hn::Add(least, hn::Set(d, margin));
  const uint32_t near = MaskBits(d, hn::Le(best.least, limit));
  const bool sure = (near & (near - 1)) == 0 && hn::AllFalse(d, hn::Le(best.second, limit));
  const auto equal = hn::RebindMask(di, hn::Eq(best.least, least));
  const IntVec first =
      hn::MinOfLanes(di, hn::IfThenElse(equal, best.place, hn::Set(di, INT16_MAX)));
  return {data[hn::GetLane(first)], sure};
}

template <const IqRule& kRule>
class LaneSearch {
 public:
  HWY_INLINE explicit LaneSearch(const IqRun& run)
      : run_(run), neighbours_(IqNeighbours::Of(kGrid)) {
    const FloatTag d;
    for (size_t i = 0; i < kRun; i += kFloatLanes) {
      const FloatVec w = hn::LoadU(d, run.w + i);
      hn::Store(hn::Sqrt(w), d, root_ + i);
      hn::Store(hn::Mul(w, hn::LoadU(d, run.x + i)), d, wx_ + i);
    }
  }

  HWY_INLINE bool Find(IqFit& fit) {
    const float middle = kRule.fitted ? 3 * FitIqPositive(run_) : run_.max;
    if (middle <= 0) {
      return false;
    }
    if (!IsTame(middle)) {
      return FindIqFitReference<kRule>(run_, fit);
    }
    RoundAll(middle);
    SumAll();
    fit.scale = middle / kTop;
    int best = -1;
    float score = 0;
    for (int c = 0; c < kTried; ++c) {
      if (qq_[c] > 0 && qx_[c] * qx_[c] > score * qq_[c]) {
        fit.scale = qx_[c] / qq_[c];
        score = fit.scale * qx_[c];
        best = c;
      }
    }
    uint32_t again = 0;  // groups to be rounded again
    for (size_t k = 0; k < kGroups; ++k) {
      fit.words[k] = best < 0 ? 0 : static_cast<uint16_t>(words_[k][best]);
      again |= (best < 0 ? 0 : moved_[k] >> best & 1) << k;
    }
    if (kRule.refit == IqRefit::kAll ||
        (kRule.refit == IqRefit::kAllOrNone && (best < 0 || again != 0))) {
      again = (1U << kGroups) - 1;
    }
    if (again != 0 && fit.scale > 0) {
      Refit(again, fit);
    }
    return true;
  }

 private:
  static constexpr IqGrid kGrid = kRule.layout.grid;
  static constexpr size_t kDigits = IqDigits(kGrid);
  static constexpr int kBits = IqDigitBits(kGrid);
  static constexpr size_t kRun = kRule.layout.scaled;
  static constexpr size_t kGroups = kRun / kDigits;
  static constexpr int kLevels = kBits == 3 ? 8 : 3;
  static constexpr float kTop = 2 * kLevels - 1;
  static constexpr int kTried = 2 * kRule.tries + 1;
  static constexpr size_t kLanes = (kTried + 7) / 8 * 8;

  using Errors = std::conditional_t<kBits == 3, ThreeBitErrors, TwoBitErrors>;
  using Numbers = std::conditional_t<kBits == 3, EightNumbers, FourNumbers>;

  // Scales that are tried, as multiples of 1 / middle; the last one repeats.
  static constexpr std::array<float, kLanes> kMultiples = [] {
    std::array<float, kLanes> out{};
    for (int c = 0; c < static_cast<int>(kLanes); ++c) {
      const int t = c < kTried ? c - kRule.tries : kRule.tries;
      out[c] = kTop + static_cast<float>(t) * kRule.step;
    }
    return out;
  }();

  // Whether IqRound is plain rounding for all that is met here, and no quotient overflows.
  HWY_INLINE bool IsTame(float middle) const {
    const FloatTag d;
    FloatVec most = hn::Zero(d);
    for (size_t i = 0; i < kRun; i += kFloatLanes) {
      most = hn::Max(most, hn::Abs(hn::LoadU(d, run_.x + i)));
    }
    return middle >= 1e-30F && hn::GetLane(hn::MaxOfLanes(d, most)) <= 1e4F * middle;
  }

  HWY_INLINE void RoundAll(float middle) {
    const FloatTag d;
    FloatVec inverses[kLanes / kFloatLanes];
    for (size_t c = 0; c < kLanes; c += kFloatLanes) {
      const FloatVec inverse = hn::Div(hn::LoadU(d, &kMultiples[c]), hn::Set(d, middle));
      inverses[c / kFloatLanes] = inverse;
      hn::Store(hn::Div(hn::Set(d, 1.0F), inverse), d, scales_ + c);
    }
    SetMargins();
    for (size_t k = 0; k < kGroups; ++k) {
      for (size_t c = 0; c < kLanes; c += kFloatLanes) {
        hn::Store(RoundLanes(k, inverses[c / kFloatLanes]), IntTag(), words_[k] + c);
      }
      moved_[k] = MoveToPoints(k);
    }
  }

  // The nearest strings of group k.
  HWY_INLINE IntVec RoundLanes(size_t k, FloatVec inverse) const {
    const FloatTag d;
    const IntTag di;
    constexpr int kZero = 0x4B400000;  // bits of the number that is added to round
    IntVec word = hn::Zero(di);
    for (size_t i = kDigits; i-- > 0;) {
      const FloatVec odd = hn::Mul(inverse, hn::Set(d, run_.x[k * kDigits + i]));
      const FloatVec level = hn::Mul(hn::Set(d, 0.5F), hn::Sub(odd, hn::Set(d, 1.0F)));
      const IntVec bits = hn::BitCast(di, hn::Add(level, hn::Set(d, 12582912.0F)));
      const IntVec digit =
          hn::Min(hn::Max(bits, hn::Set(di, kZero)), hn::Set(di, kZero + kLevels - 1));
      word = hn::Add(hn::ShiftLeft<kBits>(word), digit);
    }
    uint32_t zeros = 0;
    for (size_t i = 0; i < kDigits; ++i) {
      zeros = (zeros << kBits) + kZero;
    }
    return hn::Sub(word, hn::Set(di, static_cast<int32_t>(zeros)));
  }

  // Puts points in place of strings that are none. Bit c of the result: whether one was, at scale
  // c. Scales that follow one another often give the same string.
  HWY_INLINE uint32_t MoveToPoints(size_t k) {
    const IntTag di;
    alignas(32) int32_t words[kLanes + 1];
    uint32_t ends = 0;  // bit c: the string of c + 1 is another
    for (size_t c = 0; c < kLanes; c += kFloatLanes) {
      hn::Store(hn::Load(di, words_[k] + c), di, words + c);
    }
    words[kLanes] = -1;
    for (size_t c = 0; c < kLanes; c += kFloatLanes) {
      const auto same = hn::Eq(hn::Load(di, words + c), hn::LoadU(di, words + c + 1));
      ends |= MaskBits(di, hn::Not(same)) << c;
    }
    ends |= 1U << (kTried - 1);
    uint32_t moved = 0;
    for (int first = 0; first < kTried;) {
      const int last = std::countr_zero(ends & (~0U << first));
      const auto near = neighbours_.Near(IqCode<kGrid>(static_cast<uint32_t>(words[first])));
      if (!near.empty()) {
        moved |= (2U << last) - (1U << first);
        MoveRun(near, k, first, last);
      }
      first = last + 1;
    }
    return moved;
  }

  // For scales from `first` to `last`, which give the same string. The difference of two points'
  // errors is the scale times a linear function of it: a point that is the best at two scales is so
  // between them, too. With margins above all rounding errors that is true of computed errors.
  HWY_INLINE void MoveRun(std::span<const uint16_t> near, size_t k, int first, int last) {
    struct Tried {
      int c;
      Choice choice;
    };

    Tried ahead[8];  // later scales that were tried, the next one on top
    size_t depth = 0;
    Tried done{first, At(near, k, first)};
    for (int next = last; done.c < last;) {
      if (next > done.c) {
        ahead[depth++] = {next, At(near, k, next)};
      }
      const Tried& right = ahead[depth - 1];
      const bool same = done.choice.word == right.choice.word;
      if (right.c - done.c > 1 && !(same && done.choice.sure && right.choice.sure)) {
        next = (done.c + right.c) / 2;
        continue;
      }
      for (int c = done.c + 1; c < right.c; ++c) {
        words_[k][c] = right.choice.word;
      }
      done = right;
      --depth;
      next = -1;
    }
  }

  HWY_INLINE Choice At(std::span<const uint16_t> near, size_t k, int c) {
    const Choice choice = Nearest(near, k, scales_[c]);
    words_[k][c] = choice.word;
    return choice;
  }

  HWY_INLINE Choice Nearest(std::span<const uint16_t> near, size_t k, float scale) const {
    return Choose(Errors(run_.x + k * kDigits, root_ + k * kDigits, scale), near, margins_[k]);
  }

  // A computed error is off by less than 16 * 2^-24 * the sum of root * (scale * odd + |x|)^2: the
  // product and the difference round once each, which the square doubles; two more products and up
  // to seven sums follow. Two errors, at two scales whose ratio is above 0.6, make that 8 times.
  HWY_INLINE void SetMargins() {
    const FloatTag d;
    alignas(32) float bounds[kRun];
    const FloatVec most = hn::Set(d, scales_[0] * kTop);
    for (size_t i = 0; i < kRun; i += kFloatLanes) {
      const FloatVec reach = hn::Add(hn::Abs(hn::LoadU(d, run_.x + i)), most);
      hn::Store(hn::Mul(hn::Load(d, root_ + i), hn::Mul(reach, reach)), d, bounds + i);
    }
    for (size_t k = 0; k < kGroups; ++k) {
      float sum = 1e-20F;  // no denormals
      for (size_t i = 0; i < kDigits; ++i) {
        sum += bounds[k * kDigits + i];
      }
      margins_[k] = sum * 0x1p-17F;
    }
  }

  static HWY_INLINE Numbers Odd() {
    if constexpr (kBits == 3) {
      return EightNumbers(kOdd);
    } else {
      return FourNumbers(hn::LoadU(FloatTag(), kOddTwice));
    }
  }

  HWY_INLINE void SumAll() {
    const FloatTag d;
    const IntTag di;
    const Numbers odd = Odd();
    for (size_t c = 0; c < kLanes; c += kFloatLanes) {
      FloatVec qx = hn::Zero(d);
      FloatVec qq = hn::Zero(d);
      for (size_t k = 0; k < kGroups; ++k) {
        IntVec word = hn::Load(di, words_[k] + c);
        for (size_t i = k * kDigits; i < (k + 1) * kDigits; ++i) {
          const FloatVec q = odd.At(word);
          qx = hn::Add(qx, hn::Mul(hn::Set(d, wx_[i]), q));
          qq = hn::Add(qq, hn::Mul(hn::Mul(hn::Set(d, run_.w[i]), q), q));
          word = hn::ShiftRight<kBits>(word);
        }
      }
      hn::Store(qx, d, qx_ + c);
      hn::Store(qq, d, qq_ + c);
    }
  }

  // `again`: the groups to be rounded with the scale that was found.
  HWY_INLINE void Refit(uint32_t again, IqFit& fit) const {
    for (size_t k = 0; k < kGroups; ++k) {
      if ((again >> k & 1) != 0) {
        const IntVec lanes = RoundLanes(k, hn::Set(FloatTag(), 1 / fit.scale));
        const auto word = static_cast<uint32_t>(hn::GetLane(lanes));
        const auto near = neighbours_.Near(IqCode<kGrid>(word));
        fit.words[k] =
            near.empty() ? static_cast<uint16_t>(word) : Nearest(near, k, fit.scale).word;
      }
    }
    float qx = 0;
    float qq = 0;
    for (size_t i = 0; i < kRun; ++i) {
      const uint32_t digit =
          fit.words[i / kDigits] >> (kBits * (i % kDigits)) & ((1U << kBits) - 1);
      const auto q = static_cast<float>(2 * digit + 1);
      qx += wx_[i] * q;
      qq += run_.w[i] * q * q;
    }
    if (qq > 0) {
      fit.scale = qx / qq;
    }
  }

  const IqRun& run_;
  const IqNeighbours& neighbours_;
  alignas(32) float root_[kRun];  // of the weights
  alignas(32) float wx_[kRun];
  alignas(32) float scales_[kLanes];  // that are tried, descending
  float margins_[kGroups];            // see Between
  alignas(32) int32_t words_[kGroups][kLanes];
  alignas(32) float qx_[kLanes];
  alignas(32) float qq_[kLanes];
  uint32_t moved_[kGroups];  // bit c: the nearest string was no point
};

template <const IqRule& kRule>
bool Find(const IqRun& run, IqFit& fit) {
  return LaneSearch<kRule>(run).Find(fit);
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx {
namespace {

template <const IqRule& kRule>
void Encode(const EncodeJob& job) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(FindIqFitReference<kRule>, Find<kRule>);
  EncodeIqCodebookWith(job, kTable.Get());
}

}  // namespace

void EncodeIqCodebook(const EncodeJob& job) {
  switch (job.encoding.scheme) {
    case Scheme::kIq2Xxs:
      return Encode<kIq2XxsRule>(job);
    case Scheme::kIq2Xs:
      return Encode<kIq2XsRule>(job);
    case Scheme::kIq2S:
      return Encode<kIq2SRule>(job);
    case Scheme::kIq3Xxs:
      return Encode<kIq3XxsRule>(job);
    default:
      return Encode<kIq3SRule>(job);
  }
}

}  // namespace lbrx
#endif
