// What stands around the search of an encoder: weights, signs, the scales of a block.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "quant/schemes/ggml/iq_blocks.h"
#include "quant/schemes/ggml/iq_codebook.h"
#include "quant/schemes/ggml/iq_neighbours.h"

namespace lbrx {
namespace {

// Magnitudes of eight elements from `x` on into `run`; their sign bits.
uint8_t SplitSigns(const float* x, size_t begin, bool even, IqRun& run) {
  uint32_t signs = 0;
  for (size_t i = 0; i < 8; ++i) {
    const bool negative = !(x[i] >= 0);
    run.x[begin + i] = negative ? -x[i] : x[i];
    signs |= (negative ? 1U : 0U) << i;
  }
  if (!even || std::popcount(signs) % 2 == 0) {
    return static_cast<uint8_t>(signs);
  }
  // The sign of the element that matters least is flipped.
  size_t least = 0;
  float least_cost = run.w[begin] * x[0] * x[0];
  for (size_t i = 1; i < 8; ++i) {
    const float cost = run.w[begin + i] * x[i] * x[i];
    if (cost < least_cost) {
      least_cost = cost;
      least = i;
    }
  }
  run.x[begin + least] = -run.x[begin + least];
  return static_cast<uint8_t>(signs ^ 1U << least);
}

// A block while it is encoded.
class BlockEncoder {
 public:
  BlockEncoder(const IqRule& rule, const IqNeighbours& neighbours, FindIqFit find, uint8_t* block)
      : rule_(rule),
        layout_(rule.layout),
        even_(layout_.signs.width == 7),
        neighbours_(neighbours),
        find_(find),
        block_(block) {}

  void Encode(const float* values, const float* importance) {
    std::memset(block_, 0, layout_.bytes);
    float squares = 0;
    for (size_t i = 0; i < kIqBlock; ++i) {
      squares += values[i] * values[i];
    }
    mean_square_ = rule_.spread * squares / kIqBlock;
    floor_ = rule_.even > 0 ? rule_.even * mean_square_ : 0;
    const size_t runs = kIqBlock / layout_.scaled;
    float max_scale = 0;
    for (size_t r = 0; r < runs; ++r) {
      const size_t begin = r * layout_.scaled;
      scales_[r] =
          EncodeRun(values + begin, importance == nullptr ? nullptr : importance + begin, r);
      max_scale = std::max(max_scale, scales_[r]);
    }
    if (max_scale == 0) {
      if (even_) {
        std::memset(block_, 0, layout_.bytes);
      }
      return;
    }
    const float d = max_scale / 31;
    PutIqHalf(block_, d * rule_.stored);
    const float inverse = 1 / d;
    for (size_t r = 0; r < runs; ++r) {
      const int code = std::clamp(IqRound(0.5F * (inverse * scales_[r] - 1)), 0, 15);
      layout_.scale.Put(block_, r, static_cast<uint32_t>(code));
    }
  }

 private:
  // Its scale; 0 for a run of zeros, which leaves its part of the block as it is.
  float EncodeRun(const float* x, const float* importance, size_t r) {
    IqRun run;
    Weigh(x, importance, run);
    uint8_t signs[kMaxIqRun / 8] = {};
    for (size_t i = 0; i < layout_.scaled; i += 8) {
      signs[i / 8] = SplitSigns(x + i, i, even_, run);
    }
    run.max = *std::max_element(run.x, run.x + layout_.scaled);
    IqFit fit{};
    if (run.max < rule_.least || !find_(run, fit)) {
      return 0;
    }
    const size_t place = rule_.closes_up ? coded_++ : r;
    const size_t eights = layout_.scaled / 8U;
    for (size_t i = 0; i < eights; ++i) {
      const uint32_t flipped = fit.scale < 0 ? ~uint32_t{signs[i]} : signs[i];
      layout_.signs.Put(block_, place * eights + i, flipped & ((1U << layout_.signs.width) - 1));
    }
    PutIndices(fit, place, r);
    return std::fabs(fit.scale);
  }

  void Weigh(const float* x, const float* importance, IqRun& run) const {
    for (size_t i = 0; i < layout_.scaled; ++i) {
      run.w[i] = importance == nullptr ? floor_ + x[i] * x[i]
                                       : importance[i] * std::sqrt(mean_square_ + x[i] * x[i]);
    }
  }

  void PutIndices(const IqFit& fit, size_t place, size_t r) {
    const size_t groups = layout_.scaled / static_cast<size_t>(IqDigits(layout_.grid));
    for (size_t k = 0; k < groups; ++k) {
      const uint32_t code = IqDigitBits(layout_.grid) == 3
                                ? IqCode<IqGrid::kThreeBit256>(fit.words[k])
                                : IqCode<IqGrid::kTwoBit256>(fit.words[k]);
      const uint32_t index = neighbours_.Index(code);
      const uint32_t low = index & ((1U << layout_.low.width) - 1);
      layout_.low.Put(block_, place * groups + k, low);
      layout_.high.Put(block_, r * groups + k, index >> layout_.low.width);
    }
  }

  const IqRule& rule_;
  const IqLayout& layout_;
  bool even_;  // an even number of signs in eight elements
  const IqNeighbours& neighbours_;
  FindIqFit find_;
  uint8_t* block_;
  float mean_square_ = 0;
  float floor_ = 0;   // of weights without importance
  size_t coded_ = 0;  // runs that are no zeros
  float scales_[kIqBlock / 16] = {};
};

}  // namespace

const IqRule& IqRuleOf(Scheme scheme) {
  switch (scheme) {
    case Scheme::kIq2Xxs:
      return kIq2XxsRule;
    case Scheme::kIq2Xs:
      return kIq2XsRule;
    case Scheme::kIq2S:
      return kIq2SRule;
    case Scheme::kIq3Xxs:
      return kIq3XxsRule;
    default:
      return kIq3SRule;
  }
}

void EncodeIqCodebookWith(const EncodeJob& job, FindIqFit find) {
  const IqRule& rule = IqRuleOf(job.encoding.scheme);
  if (rule.even < 0) {
    RequireImportance(job);
  }
  const IqNeighbours& neighbours = IqNeighbours::Of(rule.layout.grid);
  EncodeIqBlocks(job, kIqBlock, rule.layout.bytes,
                 [&](const float* values, const float* importance, uint8_t* block) {
                   BlockEncoder(rule, neighbours, find, block).Encode(values, importance);
                 });
}

}  // namespace lbrx
