// What stands around the search of an encoder: weights, signs, the scales of a block.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "quant/schemes/ggml/iq_blocks.h"
#include "quant/schemes/ggml/iq_codebook.h"
#include "quant/schemes/ggml/iq_codecs.h"
#include "quant/schemes/ggml/iq_neighbours.h"

namespace lbrx {
namespace {

// Flips the sign of that one of eight elements which matters least.
void FlipLeast(float* x, const float* w, uint8_t& signs) {
  size_t least = 0;
  float least_cost = w[0] * x[0] * x[0];
  for (size_t i = 1; i < 8; ++i) {
    const float cost = w[i] * x[i] * x[i];
    if (cost < least_cost) {
      least_cost = cost;
      least = i;
    }
  }
  x[least] = -x[least];
  signs = static_cast<uint8_t>(signs ^ 1U << least);
}

// A block while it is encoded.
class BlockEncoder {
 public:
  BlockEncoder(const IqRule& rule, const IqNeighbours& neighbours, const IqKernels& kernels,
               uint8_t* block)
      : rule_(rule),
        layout_(rule.layout),
        even_(layout_.signs.width == 7),
        neighbours_(neighbours),
        kernels_(kernels),
        block_(block) {}

  void Encode(const float* values, const float* importance) {
    std::memset(block_, 0, layout_.bytes);
    Split(values, importance);
    const size_t runs = kIqBlock / layout_.scaled;
    float max_scale = 0;
    for (size_t r = 0; r < runs; ++r) {
      scales_[r] = EncodeRun(r);
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
  void Split(const float* values, const float* importance) {
    float squares = 0;
    for (size_t i = 0; i < kIqBlock; ++i) {
      squares += values[i] * values[i];
    }
    const float mean_square = rule_.spread * squares / kIqBlock;
    const float floor = rule_.floor > 0 ? rule_.floor * mean_square : 0;
    kernels_.split(values, {importance, mean_square, floor}, parts_);
    for (size_t i = 0; i < kIqBlock && even_; i += 8) {
      if (std::popcount(parts_.signs[i / 8]) % 2 != 0) {
        FlipLeast(parts_.x + i, parts_.w + i, parts_.signs[i / 8]);
      }
    }
  }

  // Its scale; 0 for a run of zeros, which leaves its part of the block as it is.
  float EncodeRun(size_t r) {
    const size_t begin = r * layout_.scaled;
    IqFit fit{};
    if (!kernels_.find({parts_.x + begin, parts_.w + begin}, fit)) {
      return 0;
    }
    const size_t place = rule_.closes_up ? coded_++ : r;
    const size_t eights = layout_.scaled / 8U;
    for (size_t i = 0; i < eights; ++i) {
      const uint32_t signs = parts_.signs[begin / 8 + i];
      const uint32_t flipped = fit.scale < 0 ? ~signs : signs;
      layout_.signs.Put(block_, place * eights + i, flipped & ((1U << layout_.signs.width) - 1));
    }
    PutIndices(fit, place, r);
    return std::fabs(fit.scale);
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
  const IqKernels& kernels_;
  uint8_t* block_;
  IqParts parts_;
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

void EncodeIqCodebookWith(const EncodeJob& job, const IqKernels& kernels) {
  const IqRule& rule = IqRuleOf(job.encoding.scheme);
  RequireImportance(job);
  const IqNeighbours& neighbours = IqNeighbours::Of(rule.layout.grid);
  EncodeIqBlocks(job, kIqBlock, rule.layout.bytes,
                 [&](const float* values, const float* importance, uint8_t* block) {
                   BlockEncoder(rule, neighbours, kernels, block).Encode(values, importance);
                 });
}

}  // namespace lbrx
