// nuslerp with vectors along the first dimension; see nuslerp.cc.
#include <algorithm>
#include <cmath>
#include <vector>

#include "merge/methods/elementwise.h"
#include "merge/methods/nuslerp.h"
#include "merge/methods/ordered_sums.h"

namespace lbrx {
namespace {

// Sums of each column: over squares of both vectors and their product; or, with rounding, over
// squares in the first pass and products of unit vectors in the second.
enum Sum : uint8_t { kSquare0, kSquare1, kProduct, kSums };

class ColumnsKernel : public MergeKernel {
 public:
  ColumnsKernel(const MergeTensor& tensor, double t)
      : t_(t),
        has_base_(tensor.has_base),
        rounding_(tensor.rounding),
        columns_(tensor.shape.elements() / tensor.shape[0]),
        sums_(kSums * columns_) {}

  int passes() const override { return rounding_ == MergeRounding::kNone ? 1 : 2; }

  void Observe(int pass, size_t piece, MergeTiles& tiles) override {
    std::vector<double> sums(kSums * columns_);
    while (const MergeTile* tile = tiles.Next()) {
      ForEachBlock(*tile, [&](const Block& block) {
        if (pass == 0) {
          AddSquares(block, sums);
        } else {
          AddUnits(block, sums);
        }
      });
    }
    sums_.Add(piece, std::move(sums));
  }

  void FinishPass(int pass) override {
    const std::vector<double> sums = sums_.Finish();
    if (pass + 1 < passes()) {
      norms_.resize(2 * columns_);
      const float least = RoundOne(rounding_, kNuslerpLeastNorm);
      for (uint64_t c = 0; c < columns_; ++c) {
        for (size_t m = 0; m < 2; ++m) {
          norms_[2 * c + m] = std::max(RoundOne(rounding_, std::sqrt(sums[kSums * c + m])), least);
        }
      }
      return;
    }
    norms_ = {};
    mixes_.reserve(columns_);
    for (uint64_t c = 0; c < columns_; ++c) {
      const double* sum = &sums[kSums * c];
      const double cosine = passes() == 2
                                ? sum[kProduct]
                                : NuslerpCosine(sum[kProduct], sum[kSquare0], sum[kSquare1]);
      mixes_.push_back(MixForCosine(t_, cosine, rounding_));
    }
  }

  void Combine(const MergeTile& tile, float* out) const override {
    ForEachBlock(tile, [&](const Block& block) { Mix(block, out + block.offset); });
  }

  // The sums of all, and those of the pieces in hand.
  uint64_t StateBytes(unsigned threads) const override {
    return columns_ *
           ((1 + threads) * kSums * sizeof(double) + 2 * sizeof(float) + sizeof(NuslerpMix));
  }

 private:
  // Deltas of a run that stays in one row.
  struct Block {
    size_t offset = 0;  // in the tile
    size_t count = 0;
    uint64_t column = 0;  // of the first
    const float* base = nullptr;
    const float* vectors[2] = {};
  };

  template <typename Body>
  void ForEachBlock(const MergeTile& tile, Body body) const {
    float deltas[2][kMergeBlock];
    for (size_t offset = 0; offset < tile.count;) {
      Block block{.offset = offset, .column = (tile.first + offset) % columns_};
      block.count = std::min<uint64_t>({kMergeBlock, tile.count - offset, columns_ - block.column});
      for (size_t m = 0; m < 2; ++m) {
        block.vectors[m] = tile.members[m] + offset;
        if (has_base_) {
          block.base = tile.base + offset;
          const float* member = block.vectors[m];
          MapRun(rounding_, block.count, deltas[m],
                 [&](size_t i) { return member[i] - block.base[i]; });
          block.vectors[m] = deltas[m];
        }
      }
      body(block);
      offset += block.count;
    }
  }

  static void AddSquares(const Block& block, std::vector<double>& sums) {
    for (size_t i = 0; i < block.count; ++i) {
      const double x = block.vectors[0][i];
      const double y = block.vectors[1][i];
      double* sum = &sums[kSums * (block.column + i)];
      sum[kSquare0] += x * x;
      sum[kSquare1] += y * y;
      sum[kProduct] += x * y;
    }
  }

  void AddUnits(const Block& block, std::vector<double>& sums) const {
    float units[2][kMergeBlock];
    for (size_t m = 0; m < 2; ++m) {
      MapRun(rounding_, block.count, units[m],
             [&](size_t i) { return block.vectors[m][i] / norms_[2 * (block.column + i) + m]; });
    }
    MapRun(rounding_, block.count, units[0], [&](size_t i) { return units[0][i] * units[1][i]; });
    for (size_t i = 0; i < block.count; ++i) {
      sums[kSums * (block.column + i) + kProduct] += units[0][i];
    }
  }

  void Mix(const Block& block, float* out) const {
    const NuslerpMix* mixes = &mixes_[block.column];
    float term[kMergeBlock];
    MapRun(rounding_, block.count, out,
           [&](size_t i) { return mixes[i].first * block.vectors[0][i]; });
    MapRun(rounding_, block.count, term,
           [&](size_t i) { return mixes[i].second * block.vectors[1][i]; });
    MapRun(rounding_, block.count, out, [&](size_t i) { return out[i] + term[i]; });
    MapRun(rounding_, block.count, out, [&](size_t i) { return out[i] / mixes[i].divisor; });
    if (has_base_) {
      MapRun(rounding_, block.count, out, [&](size_t i) { return block.base[i] + out[i]; });
    }
  }

  double t_;
  bool has_base_;
  MergeRounding rounding_;
  uint64_t columns_;
  OrderedSums sums_;
  std::vector<float> norms_;  // two for each column, between passes
  std::vector<NuslerpMix> mixes_;
};

}  // namespace

std::unique_ptr<MergeKernel> MakeNuslerpColumns(const MergeTensor& tensor, double t) {
  return std::make_unique<ColumnsKernel>(tensor, t);
}

}  // namespace lbrx
