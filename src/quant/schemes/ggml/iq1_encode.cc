// What stands around the searches of an IQ1 encoder: weights, order, the scales of a block.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "quant/schemes/ggml/iq1.h"
#include "quant/schemes/ggml/iq_blocks.h"
#include "quant/schemes/ggml/iq_codecs.h"
#include "quant/schemes/ggml/iq_neighbours.h"

namespace lbrx {
namespace {

constexpr IqGrid kGrid = IqGrid::kTernary2048;

// A block while it is encoded.
template <const Iq1Layout& kLayout>
class BlockEncoder {
 public:
  BlockEncoder(const Iq1Kernels& kernels, uint8_t* block)
      : kernels_(kernels), neighbours_(IqNeighbours::Of(kGrid)), block_(block) {}

  void Encode(const float* values, const float* importance) {
    std::memset(block_, 0, kLayout.bytes);
    Weigh(values, importance);
    float max_scale = 0;
    for (size_t r = 0; r < kRuns; ++r) {
      scales_[r] = EncodeRun(values + r * kRun, w_ + r * kRun, r);
      max_scale = std::max(max_scale, scales_[r]);
    }
    if (max_scale == 0) {
      return;
    }
    float d = max_scale / 15;
    const float inverse = 1 / d;
    int codes[kRuns];
    for (size_t r = 0; r < kRuns; ++r) {
      codes[r] = std::clamp(IqRound(0.5F * (inverse * scales_[r] - 1)), 0, 7);
      kLayout.scale.Put(block_, r, static_cast<uint32_t>(codes[r]));
    }
    if constexpr (kHalves) {
      PutScaleM(Refit(values, codes, d));
    } else {
      PutIqHalf(block_, d * 1.125F);
    }
  }

 private:
  static constexpr size_t kRun = kLayout.scaled;
  static constexpr size_t kRuns = kIqBlock / kRun;
  static constexpr size_t kEights = kRun / 8;  // groups of a run
  static constexpr bool kHalves = kLayout.moved == 8;
  static constexpr float kLeast = kHalves ? 1e-7F : 1e-12F;  // runs below are zeros

  struct Sums {
    float qx = 0;
    float qq = 0;

    // The values times `factor`.
    void Add(uint32_t word, const Iq1Values& values, float factor, const float* x, const float* w) {
      for (size_t i = 0; i < 8; ++i) {
        const float q = values[word >> (2 * i) & 3] * factor;
        qx += w[i] * q * x[i];
        qq += w[i] * q * q;
      }
    }
  };

  void Weigh(const float* x, const float* importance) {
    float squares = 0;
    for (size_t i = 0; i < kIqBlock; ++i) {
      squares += x[i] * x[i];
    }
    const float mean_square = 2 * squares / kIqBlock;
    for (size_t i = 0; i < kIqBlock; ++i) {
      const float square = x[i] * x[i];
      w_[i] = importance == nullptr ? square : importance[i] * std::sqrt(mean_square + square);
    }
  }

  // Its scale; 0 for a run of zeros.
  float EncodeRun(const float* x, const float* w, size_t r) {
    float max = 0;
    for (size_t i = 0; i < kRun; ++i) {
      max = std::max(max, std::fabs(x[i]));
    }
    if (max < kLeast) {
      return 0;
    }
    uint8_t order[kRun] = {};
    kernels_.sort(x, kRun, order);
    Iq1Split split = SplitOf(x, w, order);
    if (!split.found) {
      return 0;
    }
    uint8_t codes[kRun] = {};
    for (size_t rank = 0; rank < kRun; ++rank) {
      codes[order[rank]] = (rank >= split.middle ? 1 : 0) + (rank >= split.high ? 1 : 0);
    }
    if (split.scale < 0) {
      for (uint8_t& code : codes) {
        code = 2 - code;
      }
      split.scale = -split.scale;
      split.down = ~split.down;
    }
    return PutRun(x, w, codes, split, r);
  }

  Iq1Split SplitOf(const float* x, const float* w, const uint8_t* order) const {
    Iq1Sums sums{};
    for (size_t rank = 0; rank < kRun; ++rank) {
      const size_t i = order[rank];
      const size_t half = kHalves && i >= kRun / 2 ? 1 : 0;
      for (size_t h = 0; h < 2; ++h) {
        sums.wx[h][rank + 1] = sums.wx[h][rank];
        sums.w[h][rank + 1] = sums.w[h][rank];
      }
      sums.wx[half][rank + 1] += w[i] * x[i];
      sums.w[half][rank + 1] += w[i];
    }
    return kHalves ? kernels_.split_m(sums) : kernels_.split_s(sums);
  }

  // Writes points and directions; gives the scale, fitted again if strings were no points.
  float PutRun(const float* x, const float* w, const uint8_t* codes, const Iq1Split& split,
               size_t r) {
    Sums sums;
    bool moved = false;
    for (size_t k = 0; k < kEights; ++k) {
      const Iq1Values values = Iq1ValuesOf((split.down >> k & 1) != 0);
      uint32_t word = 0;
      for (size_t i = 0; i < 8; ++i) {
        word |= uint32_t{codes[8 * k + i]} << (2 * i);
      }
      const auto near = neighbours_.Near(IqCode<kGrid>(word));
      if (!near.empty()) {
        moved = true;
        word = kernels_.nearest(near, x + 8 * k, w + 8 * k, split.scale, values);
      }
      const size_t group = r * kEights + k;
      const uint32_t index = neighbours_.Index(IqCode<kGrid>(word));
      kLayout.low.Put(block_, group, index & 255);
      kLayout.high.Put(block_, group, index >> 8);
      if (group % (kLayout.moved / 8) == 0) {
        kLayout.down.Put(block_, group / (kLayout.moved / 8), split.down >> k & 1);
      }
      words_[group] = static_cast<uint16_t>(word);
      sums.Add(word, values, 1, x + 8 * k, w + 8 * k);
    }
    return moved && sums.qx > 0 && sums.qq > 0 ? sums.qx / sums.qq : split.scale;
  }

  // d that fits the whole block best.
  float Refit(const float* x, const int* codes, float d) const {
    Sums sums;
    for (size_t group = 0; group < kIqBlock / 8; ++group) {
      const Iq1Values values = Iq1ValuesOf(kLayout.down.Get(block_, group) != 0);
      const auto factor = static_cast<float>(2 * codes[group / kEights] + 1);
      sums.Add(words_[group], values, factor, x + 8 * group, w_ + 8 * group);
    }
    return sums.qq > 0 ? sums.qx / sums.qq : d;
  }

  void PutScaleM(float d) {
    const uint32_t bits = FloatToF16(d * 1.1125F);
    for (size_t i = 0; i < 4; ++i) {
      kIq1MScale.Put(block_, i, bits >> (4 * i) & 15);
    }
  }

  const Iq1Kernels& kernels_;
  const IqNeighbours& neighbours_;
  uint8_t* block_;
  float w_[kIqBlock];
  float scales_[kRuns];
  uint16_t words_[kIqBlock / 8] = {};
};

template <const Iq1Layout& kLayout>
void Encode(const EncodeJob& job, const Iq1Kernels& kernels) {
  RequireImportance(job);
  EncodeIqBlocks(job, kIqBlock, kLayout.bytes,
                 [&](const float* values, const float* importance, uint8_t* block) {
                   BlockEncoder<kLayout>(kernels, block).Encode(values, importance);
                 });
}

}  // namespace

void EncodeIq1SWith(const EncodeJob& job, const Iq1Kernels& kernels) {
  Encode<kIq1SLayout>(job, kernels);
}

void EncodeIq1MWith(const EncodeJob& job, const Iq1Kernels& kernels) {
  Encode<kIq1MLayout>(job, kernels);
}

}  // namespace lbrx
