// The search of iq_codebook_search.cc on vectors. Rounding and sums: a lane holds a scale that is
// tried. Points near a string: a lane holds a point, and the error of each digit comes from a
// table, since digits are few. Every sum runs in the scalar order.
#include <algorithm>
#include <array>
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

constexpr float kOdd[8] = {1, 3, 5, 7, 9, 11, 13, 15};
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

// The first of the words with the least error.
template <typename Errors>
HWY_INLINE uint16_t Least(const Errors& errors, std::span<const uint16_t> words) {
  const FloatTag d;
  const IntTag di;
  FloatVec least = hn::Set(d, FLT_MAX);
  IntVec places = hn::Zero(di);
  IntVec place = hn::LoadU(di, kLaneNumbers);
  const size_t count = words.size();
  const uint16_t* data = words.data();
  for (size_t i = 0; i < count; i += kFloatLanes) {
    const IntVec lanes =
        hn::BitCast(di, hn::PromoteTo(BitsTag(), hn::LoadU(HalfBitsTag(), data + i)));
    const FloatVec error = errors.Of(lanes);
    const auto better = hn::Lt(error, least);
    least = hn::IfThenElse(better, error, least);
    places = hn::IfThenElse(hn::RebindMask(di, better), place, places);
    place = hn::Add(place, hn::Set(di, static_cast<int>(kFloatLanes)));
  }
  const auto equal = hn::RebindMask(di, hn::Eq(least, hn::MinOfLanes(d, least)));
  const IntVec first = hn::IfThenElse(equal, places, hn::Set(di, INT32_MAX));
  return data[hn::GetLane(hn::MinOfLanes(di, first))];
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
    for (size_t k = 0; k < kGroups && best >= 0; ++k) {
      fit.words[k] = static_cast<uint16_t>(words_[k][best]);
    }
    const uint32_t all = kRule.refit == IqRefit::kMoved ? 0 : (1U << kGroups) - 1;
    Refit(best < 0 ? all : moved_[best], fit);
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

  // Scales that are tried, as multiples of 1 / middle; the last one repeats.
  static constexpr std::array<float, kLanes> kMultiples = [] {
    std::array<float, kLanes> out{};
    for (int c = 0; c < static_cast<int>(kLanes); ++c) {
      const int t = c < kTried ? c - kRule.tries : kRule.tries;
      out[c] = kTop + static_cast<float>(t) * kRule.step;
    }
    return out;
  }();

  // Digits of one position.
  static HWY_INLINE IntVec Level(FloatVec inverse, float x) {
    const FloatTag d;
    const IntTag di;
    const FloatVec real =
        hn::Mul(hn::Set(d, 0.5F), hn::Sub(hn::Mul(inverse, hn::Set(d, x)), hn::Set(d, 1.0F)));
    const IntVec bits = hn::BitCast(di, hn::Add(real, hn::Set(d, 12582912.0F)));  // see IqRound
    const IntVec level = hn::Sub(hn::And(bits, hn::Set(di, 0x7FFFFF)), hn::Set(di, 0x400000));
    return hn::Min(hn::Max(level, hn::Zero(di)), hn::Set(di, kLevels - 1));
  }

  HWY_INLINE void RoundAll(float middle) {
    const FloatTag d;
    alignas(32) float scales[kLanes];
    FloatVec inverses[kLanes / kFloatLanes];
    for (size_t c = 0; c < kLanes; c += kFloatLanes) {
      const FloatVec inverse = hn::Div(hn::LoadU(d, &kMultiples[c]), hn::Set(d, middle));
      inverses[c / kFloatLanes] = inverse;
      hn::Store(hn::Div(hn::Set(d, 1.0F), inverse), d, scales + c);
    }
    for (size_t k = 0; k < kGroups; ++k) {
      alignas(32) int32_t codes[kLanes];
      for (size_t c = 0; c < kLanes; c += kFloatLanes) {
        RoundLanes(k, inverses[c / kFloatLanes], codes + c, words_[k] + c);
      }
      for (int c = 0; c < kTried; ++c) {
        const auto near = neighbours_.Near(codes[c]);
        if (!near.empty()) {
          words_[k][c] = Nearest(near, k, scales[c]);
          moved_[c] |= 1U << k;
        }
      }
    }
  }

  HWY_INLINE void RoundLanes(size_t k, FloatVec inverse, int32_t* codes, int32_t* words) const {
    const IntTag di;
    IntVec word = hn::Zero(di);
    IntVec code = hn::Zero(di);
    for (size_t i = kDigits; i-- > 0;) {
      const IntVec level = Level(inverse, run_.x[k * kDigits + i]);
      word = hn::Or(hn::ShiftLeft<kBits>(word), level);
      code = hn::Add(hn::Add(code, hn::Add(code, code)), level);  // base 3
    }
    hn::Store(word, di, words);
    hn::Store(kBits == 3 ? word : code, di, codes);
  }

  HWY_INLINE uint16_t Nearest(std::span<const uint16_t> near, size_t k, float scale) const {
    return Least(Errors(run_.x + k * kDigits, root_ + k * kDigits, scale), near);
  }

  HWY_INLINE void SumAll() {
    const FloatTag d;
    const IntTag di;
    const EightNumbers odd(kOdd);
    for (size_t c = 0; c < kLanes; c += kFloatLanes) {
      FloatVec qx = hn::Zero(d);
      FloatVec qq = hn::Zero(d);
      for (size_t k = 0; k < kGroups; ++k) {
        IntVec word = hn::Load(di, words_[k] + c);
        for (size_t i = k * kDigits; i < (k + 1) * kDigits; ++i) {
          const IntVec digit = kBits == 3 ? word : hn::And(word, hn::Set(di, 3));
          const FloatVec q = odd.At(digit);
          qx = hn::Add(qx, hn::Mul(hn::Set(d, wx_[i]), q));
          qq = hn::Add(qq, hn::Mul(hn::Mul(hn::Set(d, run_.w[i]), q), q));
          word = hn::ShiftRight<kBits>(word);
        }
      }
      hn::Store(qx, d, qx_ + c);
      hn::Store(qq, d, qq_ + c);
    }
  }

  HWY_INLINE void Refit(uint32_t moved, IqFit& fit) const {
    const bool wanted = kRule.refit == IqRefit::kAll || moved != 0;
    if (!wanted || !(fit.scale > 0)) {
      return;
    }
    for (size_t k = 0; k < kGroups; ++k) {
      if (kRule.refit != IqRefit::kMoved || (moved >> k & 1) != 0) {
        alignas(32) int32_t codes[kFloatLanes];
        alignas(32) int32_t words[kFloatLanes];
        RoundLanes(k, hn::Set(FloatTag(), 1 / fit.scale), codes, words);
        const auto near = neighbours_.Near(codes[0]);
        fit.words[k] = near.empty() ? static_cast<uint16_t>(words[0]) : Nearest(near, k, fit.scale);
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
  alignas(32) int32_t words_[kGroups][kLanes];
  alignas(32) float qx_[kLanes];
  alignas(32) float qq_[kLanes];
  uint32_t moved_[kLanes] = {};  // bit k: the nearest string of group k was no point
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
