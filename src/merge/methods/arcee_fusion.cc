// arcee_fusion: takes from the other model x what differs most from the base b:
//
//   importance = |x - b| * KL(row),  KL = sum p ln(p / q),  p = softmax(x) + 1e-8, q of b likewise
//   threshold = median + 1.5 (Q3 - Q1) of all importances
//   y = x where importance >= threshold, else b   (as b + (x - b))
//
// A row is the last dimension. The quantile q of n values is the one at floor(q (n - 1)) in
// ascending order, of all values. mergekit looks at a million of them, drawn at random, where a
// tensor has more; so it does under --compat.
//
// Source: Arcee, https://arcee.ai; mergekit 0.1.5.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <memory>
#include <vector>

#include "merge/methods/elementwise.h"
#include "merge/methods/fusion_sample.h"
#include "merge/methods/gram.h"
#include "merge/methods/methods.h"
#include "merge/methods/row_divergence.h"
#include "merge/methods/tiles.h"
#include "merge/rank_select.h"

namespace lbrx {
namespace {

// Importances as RankSelect orders them, by the bits of magnitudes. What was rounded to 16 bits may
// be negative (KL of rounded figures is), but has a bit to spare.
class RankKey {
 public:
  explicit RankKey(MergeRounding rounding) : narrow_(rounding != MergeRounding::kNone) {}

  float Of(float importance) const {
    if (!narrow_) {
      return importance;
    }
    const auto bits = std::bit_cast<uint32_t>(importance);
    return std::bit_cast<float>(((bits & kSign) != 0 ? ~bits : bits | kSign) >> 1);
  }

  float Back(uint32_t key) const {
    if (!narrow_) {
      return std::bit_cast<float>(key);
    }
    const bool positive = (key << 1 & kSign) != 0;
    return std::bit_cast<float>(positive ? key << 1 & ~kSign : ~(key << 1 | 1));
  }

 private:
  static constexpr uint32_t kSign = 0x80000000;
  bool narrow_;
};

class FusionKernel : public MergeKernel {
 public:
  explicit FusionKernel(const MergeTensor& tensor)
      : rounding_(tensor.rounding),
        key_(tensor.rounding),
        row_(tensor.shape.back()),
        piece_(CutIntoPieces(tensor.shape.elements(), row_)),
        divergences_(tensor.shape.elements() / row_),
        quantiles_(tensor.shape.elements(), piece_.count) {
    if (tensor.compat && FusionSample::Wanted(tensor.shape.elements())) {
      sample_ = std::make_unique<FusionSample>(tensor);
      return;
    }
    std::vector<RankQuery> queries;
    for (uint64_t position : Quartiles(tensor.shape.elements())) {
      queries.push_back({.position = position});
    }
    quantiles_.Ask(queries);
  }

  uint64_t granule() const override { return row_; }

  // Of the ranks': equal ones need not be told apart.
  int passes() const override { return sample_ != nullptr ? 1 : 2; }

  void Observe(int pass, size_t piece, MergeTiles& tiles) override {
    if (sample_ != nullptr) {
      return ObserveRows(pass, tiles, [&](uint64_t first, const float* values, size_t count) {
        sample_->See(first, values, count);
      });
    }
    RankSelect::Watch watch(quantiles_, pass, piece);
    ObserveRows(pass, tiles, [&](uint64_t first, const float* values, size_t count) {
      float keys[kMergeBlock];
      for (size_t i = 0; i < count; ++i) {
        keys[i] = key_.Of(values[i]);
      }
      watch.See(first, keys, count);
    });
  }

  void FinishPass(int pass) override {
    std::array<float, 3> quartiles{};
    if (sample_ != nullptr) {
      const std::array<uint64_t, 3> positions = Quartiles(FusionSample::kSize);
      for (size_t i = 0; i < 3; ++i) {
        quartiles[i] = sample_->AtRank(positions[i]);
      }
      sample_->Free();
    } else {
      quantiles_.FinishPass(pass);
      for (size_t i = 0; i < 3; ++i) {
        quartiles[i] = key_.Back(quantiles_.found(i).bits);
      }
    }
    threshold_ = Threshold(quartiles[0], quartiles[1], quartiles[2]);
  }

  void Combine(const MergeTile& tile, float* out) const override {
    ForEachRow(tile, row_, [&](const MergeTile& row, size_t start) {
      ForEachBlock(row, [&](const Block& block) {
        const float* base = row.base + block.offset;
        float* to = out + start + block.offset;
        for (size_t i = 0; i < block.count; ++i) {
          const bool taken = block.importances[i] >= threshold_;
          to[i] = base[i] + block.deltas[i] * (taken ? 1.0F : 0.0F);
        }
      });
    });
  }

  uint64_t StateBytes(unsigned threads) const override {
    const uint64_t rows = divergences_.size() * sizeof(float);
    return rows +
           (sample_ != nullptr ? FusionSample::StateBytes() : quantiles_.StateBytes(threads));
  }

 private:
  struct Block {
    size_t offset = 0;  // in the row
    size_t count = 0;
    const float* deltas = nullptr;
    const float* importances = nullptr;
  };

  template <typename Body>
  void ForEachBlock(const MergeTile& row, Body body) const {
    float deltas[kMergeBlock];
    float importances[kMergeBlock];
    const float divergence = divergences_[row.first / row_];
    for (size_t offset = 0; offset < row.count; offset += kMergeBlock) {
      const Block block{.offset = offset,
                        .count = std::min(kMergeBlock, row.count - offset),
                        .deltas = deltas,
                        .importances = importances};
      const float* member = row.members[0] + offset;
      const float* base = row.base + offset;
      MapRun(rounding_, block.count, deltas, [&](size_t i) { return member[i] - base[i]; });
      MapRun(rounding_, block.count, importances,
             [&](size_t i) { return std::abs(deltas[i]) * divergence; });
      body(block);
    }
  }

  // Positions in the ascending order of `count` values.
  static std::array<uint64_t, 3> Quartiles(uint64_t count) {
    const uint64_t last = count - 1;
    return {last / 4, last / 2, last / 4 * 3 + last % 4 * 3 / 4};
  }

  // see(first, importances, count) for all runs of the tiles.
  template <typename See>
  void ObserveRows(int pass, MergeTiles& tiles, See see) {
    while (const MergeTile* tile = tiles.Next()) {
      ForEachRow(*tile, row_, [&](const MergeTile& row, size_t /*offset*/) {
        if (pass == 0) {
          divergences_[row.first / row_] = RowDivergence(row.members[0], row.base, row_, rounding_);
        }
        ForEachBlock(row, [&](const Block& block) {
          see(row.first + block.offset, block.importances, block.count);
        });
      });
    }
  }

  float Threshold(float q1, float median, float q3) const {
    const float range = RoundOne(rounding_, q3 - q1);
    return RoundOne(rounding_, median + RoundOne(rounding_, 1.5F * range));
  }

  MergeRounding rounding_;
  RankKey key_;
  uint64_t row_;
  MergePieces piece_;
  std::vector<float> divergences_;  // KL of each row
  RankSelect quantiles_;
  std::unique_ptr<FusionSample> sample_;  // nullptr: all count
  float threshold_ = 0;
};

std::unique_ptr<MergeKernel> MakeArceeFusion(const MergeTensor& tensor) {
  if (tensor.shape.elements() == 0) {
    return MakeMixKernel({1}, 1);
  }
  return std::make_unique<FusionKernel>(tensor);
}

uint64_t Draws(const MergeTensor& tensor) {
  return FusionSample::Words(tensor.shape.elements());
}

}  // namespace

const MergeMethod kArceeFusion = {.name = "arcee_fusion",
                                  .summary = "takes the most important differences to the base",
                                  .reference = "https://arcee.ai",
                                  .parameters = {},
                                  .base = BaseRole::kRequired,
                                  .most_members = 1,
                                  .lone = LoneTensor::kAsItIs,
                                  .cuts_to_common = true,
                                  .widens = true,
                                  .make = MakeArceeFusion,
                                  .draws = Draws};

}  // namespace lbrx
