// The search of GGML's encoders, as scalars: the definition of the bytes.
#include <algorithm>
#include <cfloat>
#include <cmath>

#include "quant/schemes/ggml/iq_blocks.h"
#include "quant/schemes/ggml/iq_codebook.h"
#include "quant/schemes/ggml/iq_neighbours.h"

namespace lbrx {
namespace {

// Odd numbers stand for digits while scales are sought.
float Odd(uint32_t digit) {
  return static_cast<float>(2 * digit + 1);
}

template <const IqRule& kRule>
class Search {
 public:
  explicit Search(const IqRun& run) : run_(run), neighbours_(IqNeighbours::Of(kGrid)) {
    for (size_t i = 0; i < kRule.layout.scaled; ++i) {
      root_[i] = std::sqrt(run.w[i]);
    }
  }

  bool Find(IqFit& fit) {
    const float max = *std::max_element(run_.x, run_.x + kRule.layout.scaled);
    if (max < kRule.least) {
      return false;
    }
    const float middle = kRule.fitted ? 3 * FitIqPositiveReference(run_) : max;
    if (middle <= 0) {
      return false;
    }
    fit.scale = middle / kTop;
    Round best;
    best.any_moved = kRule.refit != IqRefit::kMoved;
    std::fill_n(best.moved, kGroups, kRule.refit != IqRefit::kMoved);
    float score = 0;
    for (int t = -kRule.tries; t <= kRule.tries; ++t) {
      const float inverse = (kTop + static_cast<float>(t) * kRule.step) / middle;
      Round round;
      for (size_t k = 0; k < kGroups; ++k) {
        Code(k, inverse, 1 / inverse, round);
      }
      const Sums sums = SumsOf(round);
      if (sums.qq > 0 && sums.qx * sums.qx > score * sums.qq) {
        fit.scale = sums.qx / sums.qq;
        score = fit.scale * sums.qx;
        best = round;
      }
    }
    Refit(best, fit);
    std::copy_n(best.words, kGroups, fit.words);
    return true;
  }

 private:
  static constexpr IqGrid kGrid = kRule.layout.grid;
  static constexpr size_t kDigits = IqDigits(kGrid);
  static constexpr int kBits = IqDigitBits(kGrid);
  static constexpr size_t kGroups = kRule.layout.scaled / kDigits;
  static constexpr int kLevels = kBits == 3 ? 8 : 3;
  static constexpr float kTop = 2 * kLevels - 1;

  // All groups at one scale.
  struct Round {
    uint16_t words[kGroups] = {};
    bool moved[kGroups] = {};  // the nearest string was no point
    bool any_moved = false;
  };

  struct Sums {
    float qx = 0;
    float qq = 0;
  };

  static uint32_t Digit(uint32_t word, size_t i) {
    return word >> (kBits * i) & ((1U << kBits) - 1);
  }

  void Code(size_t k, float inverse, float scale, Round& round) const {
    const uint32_t word = IqString<kGrid>(run_.x + k * kDigits, inverse);
    const auto near = neighbours_.Near(IqCode<kGrid>(word));
    round.moved[k] = !near.empty();
    round.any_moved = round.any_moved || round.moved[k];
    round.words[k] = near.empty() ? static_cast<uint16_t>(word) : Nearest(near, k, scale);
  }

  // Of equally near ones the first.
  uint16_t Nearest(std::span<const uint16_t> near, size_t k, float scale) const {
    const float* x = run_.x + k * kDigits;
    const float* root = root_ + k * kDigits;
    uint16_t best = near[0];
    float least = FLT_MAX;
    for (const uint16_t word : near) {
      float sum = 0;
      for (size_t i = 0; i < kDigits; ++i) {
        const float error = scale * Odd(Digit(word, i)) - x[i];
        sum += root[i] * error * error;
      }
      if (sum < least) {
        least = sum;
        best = word;
      }
    }
    return best;
  }

  Sums SumsOf(const Round& round) const {
    Sums sums;
    for (size_t i = 0; i < kRule.layout.scaled; ++i) {
      const float q = Odd(Digit(round.words[i / kDigits], i % kDigits));
      sums.qx += run_.w[i] * run_.x[i] * q;
      sums.qq += run_.w[i] * q * q;
    }
    return sums;
  }

  void Refit(Round& best, IqFit& fit) const {
    const bool wanted = kRule.refit == IqRefit::kAll || best.any_moved;
    if (!wanted || !(fit.scale > 0)) {
      return;
    }
    Round round = best;
    for (size_t k = 0; k < kGroups; ++k) {
      if (kRule.refit != IqRefit::kMoved || best.moved[k]) {
        Code(k, 1 / fit.scale, fit.scale, round);
      }
    }
    best = round;
    const Sums sums = SumsOf(best);
    if (sums.qq > 0) {
      fit.scale = sums.qx / sums.qq;
    }
  }

  const IqRun& run_;
  const IqNeighbours& neighbours_;
  float root_[kMaxIqRun];  // of the weights
};

template <const IqRule& kRule>
constexpr IqKernels kKernels = {SplitIqReference, FindIqFitReference<kRule>};

}  // namespace

void SplitIqReference(const float* values, const IqWeights& weights, IqParts& parts) {
  for (size_t i = 0; i < kIqBlock; ++i) {
    const float square = values[i] * values[i];
    parts.w[i] = weights.importance == nullptr
                     ? weights.floor + square
                     : weights.importance[i] * std::sqrt(weights.mean_square + square);
    const bool negative = !(values[i] >= 0);
    parts.x[i] = negative ? -values[i] : values[i];
    const int bit = (negative ? 1 : 0) << (i % 8);
    parts.signs[i / 8] = static_cast<uint8_t>(i % 8 == 0 ? bit : parts.signs[i / 8] | bit);
  }
}

template <const IqRule& kRule>
bool FindIqFitReference(const IqRun& run, IqFit& fit) {
  return Search<kRule>(run).Find(fit);
}

template bool FindIqFitReference<kIq2XxsRule>(const IqRun&, IqFit&);
template bool FindIqFitReference<kIq2XsRule>(const IqRun&, IqFit&);
template bool FindIqFitReference<kIq2SRule>(const IqRun&, IqFit&);
template bool FindIqFitReference<kIq3XxsRule>(const IqRun&, IqFit&);
template bool FindIqFitReference<kIq3SRule>(const IqRun&, IqFit&);

void EncodeIqCodebookReference(const EncodeJob& job) {
  switch (job.encoding.scheme) {
    case Scheme::kIq2Xxs:
      return EncodeIqCodebookWith(job, kKernels<kIq2XxsRule>);
    case Scheme::kIq2Xs:
      return EncodeIqCodebookWith(job, kKernels<kIq2XsRule>);
    case Scheme::kIq2S:
      return EncodeIqCodebookWith(job, kKernels<kIq2SRule>);
    case Scheme::kIq3Xxs:
      return EncodeIqCodebookWith(job, kKernels<kIq3XxsRule>);
    default:
      return EncodeIqCodebookWith(job, kKernels<kIq3SRule>);
  }
}

}  // namespace lbrx
