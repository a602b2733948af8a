// The search of iq_codebook_search.cc on vectors. Rounding and sums: a lane holds a scale that is
// tried. Points near a string: a lane holds a point, and the error of each digit comes from a
// table, since digits are few. Every sum runs in the scalar order.
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
#include "quant/schemes/ggml/iq_lines-inl.h"
#include "quant/schemes/ggml/iq_tables-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

HWY_INLINE int LowestBit(uint32_t bits) {
  return static_cast<int>(hwy::Num0BitsBelowLS1Bit_Nonzero32(bits));
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
      const FloatVec x = hn::LoadU(d, run.x + i);
      hn::Store(hn::Mul(w, x), d, wx_ + i);
      const FloatVec rx = hn::Mul(hn::Sqrt(w), x);
      hn::Store(hn::Add(rx, rx), d, twice_rx_ + i);
    }
  }

  HWY_INLINE bool Find(IqFit& fit) {
    const FloatTag d;
    FloatVec most = hn::LoadU(d, run_.x);
    FloatVec reach = hn::Abs(most);
    for (size_t i = kFloatLanes; i < kRun; i += kFloatLanes) {
      most = hn::Max(most, hn::LoadU(d, run_.x + i));
      reach = hn::Max(reach, hn::Abs(hn::LoadU(d, run_.x + i)));
    }
    const float max = hn::GetLane(hn::MaxOfLanes(d, most));
    if (max < kRule.least) {
      return false;
    }
    const float middle = kRule.fitted ? 3 * FitIqPositiveReference(run_) : max;
    if (middle <= 0) {
      return false;
    }
    if (!IsTame(hn::GetLane(hn::MaxOfLanes(d, reach)), middle)) {
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

  using Points = PointSums<kBits>;
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

  // Whether IqRound is plain rounding at all scales that are tried, and no quotient overflows.
  static bool IsTame(float reach, float middle) {
    return middle >= 1e-30F && reach <= 1e4F * middle;
  }

  HWY_INLINE void RoundAll(float middle) {
    const FloatTag d;
    for (size_t c = 0; c < kLanes; c += kFloatLanes) {
      const FloatVec inverse = hn::Div(hn::LoadU(d, &kMultiples[c]), hn::Set(d, middle));
      hn::Store(inverse, d, inverses_ + c);
      hn::Store(hn::Div(hn::Set(d, 1.0F), inverse), d, scales_ + c);
    }
    SetMargins();
    for (size_t k = 0; k < kGroups; ++k) {
      for (size_t c = 0; c < kLanes; c += kFloatLanes) {
        hn::Store(RoundLanes(k, hn::Load(d, inverses_ + c)), IntTag(), words_[k] + c);
      }
      MoveToPoints(k);
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

  // Puts points in place of group k's strings that are none. Scales that follow one another often
  // give the same string, a run: the points near it become lines over the scale.
  HWY_INLINE void MoveToPoints(size_t k) {
    const IntTag di;
    const auto squares = Points::Squares(root_ + k * kDigits);
    const auto products = Points::Products(twice_rx_ + k * kDigits);
    alignas(32) int32_t strings[kLanes];
    for (size_t c = 0; c < kLanes; c += kFloatLanes) {
      hn::Store(hn::Load(di, words_[k] + c), di, strings + c);
    }
    const uint32_t ends = RunEnds(k);
    moved_[k] = 0;
    Lines lines;
    for (int first = 0; first < kTried;) {
      const int last = LowestBit(ends & (~0U << first));
      const auto near = neighbours_.Near(IqCode<kGrid>(static_cast<uint32_t>(strings[first])));
      if (near.empty()) {
        for (int c = first; c <= last; c += kFloatLanes) {
          hn::StoreU(hn::Set(di, strings[first]), di, words_[k] + c);
        }
      } else {
        moved_[k] |= (2U << last) - (1U << first);
        lines.Fill(squares, products, near);
        MoveRun(lines, near, k, first, last);
      }
      first = last + 1;
    }
  }

  // Writes some lanes beyond the run, too.
  HWY_INLINE void MoveRun(const Lines& lines, std::span<const uint16_t> near, size_t k, int first,
                          int last) {
    const FloatTag d;
    for (int c = first; c <= last; c += kFloatLanes) {
      const FloatVec margin = hn::Mul(hn::Set(d, margins_[k]), hn::LoadU(d, inverses_ + c));
      uint32_t unsure = 0;
      const IntVec words = lines.Lowest(hn::LoadU(d, scales_ + c), margin, unsure);
      hn::StoreU(words, IntTag(), words_[k] + c);
      unsure &= (2U << (last - c)) - 1;
      for (; unsure != 0; unsure &= unsure - 1) {
        const int at = c + LowestBit(unsure);
        words_[k][at] = NearestAt(near, k, scales_[at]);
      }
    }
  }

  // Bit c: the string of group k at scale c + 1 is another one; and the last scale.
  HWY_INLINE uint32_t RunEnds(size_t k) const {
    const IntTag di;
    uint32_t ends = 0;
    for (size_t c = 0; c < kLanes; c += kFloatLanes) {
      const auto same = hn::Eq(hn::Load(di, words_[k] + c), hn::LoadU(di, words_[k] + c + 1));
      ends |= MaskBits(di, hn::Not(same)) << c;
    }
    return ends | 1U << (kTried - 1);
  }

  uint16_t NearestAt(std::span<const uint16_t> near, size_t k, float scale) const {
    return NearestPoint(Points::Errors(run_.x + k * kDigits, root_ + k * kDigits, scale), near);
  }

  // Which line is the lowest is sure if it is lower by more than all rounding errors. With u =
  // 2^-24 and b = the sum of root * (scale * odd + |x|)^2: the reference's error of a point is off
  // by less than 16 u b (product and difference round once each, which the square doubles; two
  // more products and up to seven sums follow), a line times the scale by less than 11 u b. For two
  // points that is 54 u b. Weights may be as uneven as they like: all terms of b are positive.
  // What underflow adds (a root is 0 or at least 2^-75) is far below the floor of 1e-20. Where b
  // overflows or is NaN nothing is sure.
  HWY_INLINE void SetMargins() {
    const FloatTag d;
    alignas(32) float bounds[kRun];
    const FloatVec most = hn::Set(d, scales_[0] * kTop);
    for (size_t i = 0; i < kRun; i += kFloatLanes) {
      const FloatVec reach = hn::Add(hn::Abs(hn::LoadU(d, run_.x + i)), most);
      hn::Store(hn::Mul(hn::Load(d, root_ + i), hn::Mul(reach, reach)), d, bounds + i);
    }
    for (size_t k = 0; k < kGroups; ++k) {
      float sum = 1e-20F;
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

  // `again`: the groups to be rounded with the scale that was found. It may be far from those that
  // were tried, where weights are very uneven, so that IqRound need not be plain rounding.
  HWY_INLINE void Refit(uint32_t again, IqFit& fit) const {
    for (size_t k = 0; k < kGroups; ++k) {
      if ((again >> k & 1) != 0) {
        const uint32_t word = IqString<kGrid>(run_.x + k * kDigits, 1 / fit.scale);
        const auto near = neighbours_.Near(IqCode<kGrid>(word));
        fit.words[k] = near.empty() ? static_cast<uint16_t>(word) : NearestAt(near, k, fit.scale);
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
  alignas(32) float twice_rx_[kRun];
  // Scales that are tried, descending, and their inverses; 8 more are read, but not used.
  alignas(32) float scales_[kLanes + 8] = {};
  alignas(32) float inverses_[kLanes + 8] = {};
  float margins_[kGroups];  // of sure errors
  alignas(32) int32_t words_[kGroups][kLanes + 8];
  alignas(32) float qx_[kLanes];
  alignas(32) float qq_[kLanes];
  uint32_t moved_[kGroups];  // bit c: the nearest string was no point
};

void Split(const float* values, const IqWeights& weights, IqParts& parts) {
  const FloatTag d;
  const FloatVec floor = hn::Set(d, weights.floor);
  const FloatVec mean_square = hn::Set(d, weights.mean_square);
  for (size_t i = 0; i < kIqBlock; i += kFloatLanes) {
    const FloatVec x = hn::LoadU(d, values + i);
    const FloatVec square = hn::Mul(x, x);
    FloatVec w = hn::Add(floor, square);
    if (weights.importance != nullptr) {
      w = hn::Mul(hn::LoadU(d, weights.importance + i), hn::Sqrt(hn::Add(mean_square, square)));
    }
    hn::Store(w, d, parts.w + i);
    const auto negative = hn::Not(hn::Ge(x, hn::Zero(d)));
    hn::Store(hn::IfThenElse(negative, hn::Neg(x), x), d, parts.x + i);
    const uint32_t bits = MaskBits(d, negative) << (i % 8);
    parts.signs[i / 8] = static_cast<uint8_t>(i % 8 == 0 ? bits : parts.signs[i / 8] | bits);
  }
}

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
  static constexpr auto kSplit = LBRX_SIMD_TABLE(SplitIqReference, Split);
  static constexpr auto kFind = LBRX_SIMD_TABLE(FindIqFitReference<kRule>, Find<kRule>);
  EncodeIqCodebookWith(job, {kSplit.Get(), kFind.Get()});
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
