// model_stock: moves from the base b toward the mean of N fine-tuned models, the less the wider the
// angle between their deltas d_m = x_m - b is:
//
//   c = mean over pairs i < j of clamp(<d_i, d_j> / max(|d_i| |d_j|, 1e-6), -1, 1)
//   t = N c / (1 + (N-1) c), 0 where |1 + (N-1) c| < 1e-6
//   y = t mean_m x_m + (1 - t) b
//
// for the whole tensor as one vector, or for each row (the last dimension) with filter_wise.
//
// Source: Jang et al., "Model Stock: All we need is just a few fine-tuned models", arXiv
// 2403.19522.
#include <algorithm>
#include <cmath>

#include "merge/methods/elementwise.h"
#include "merge/methods/gram.h"
#include "merge/methods/methods.h"
#include "merge/methods/parameters.h"
#include "merge/methods/tiles.h"

namespace lbrx {
namespace {

constexpr double kLeastNorms = 1e-6;
constexpr double kSingular = 1e-6;

constexpr MergeParameterInfo kParameters[] = {
    {.name = "filter_wise",
     .kind = MergeParameterInfo::Kind::kBoolean,
     .standard = 0,
     .summary = "a ratio for each row in place of one for the tensor"},
};

// t of the deltas' inner products. Every step is rounded as the peer's is.
double Ratio(const Gram& gram, MergeRounding rounding) {
  const auto round = [rounding](double value) { return RoundFigure(rounding, value); };
  const size_t size = gram.size();
  double cosines = 0;
  for (size_t i = 0; i < size; ++i) {
    for (size_t j = i + 1; j < size; ++j) {
      const double norms = round(round(gram.Norm(i)) * round(gram.Norm(j)));
      const double floor = std::max(norms, round(kLeastNorms));
      cosines += std::clamp(round(round(gram.at(i, j)) / floor), -1.0, 1.0);
    }
  }
  const auto count = static_cast<double>(size);
  const double cosine = round(cosines / (count * (count - 1) / 2));
  const double denominator = round(1 + round((count - 1) * cosine));
  return std::abs(denominator) < kSingular ? 0 : round(round(count * cosine) / denominator);
}

// y of a run for which t is known.
void Interpolate(const MergeTile& tile, double t, MergeRounding rounding, float* out) {
  const size_t models = tile.members.size();
  if (rounding == MergeRounding::kNone) {
    const std::vector<float> shares(models, static_cast<float>(t / static_cast<double>(models)));
    return MixVectors({.vectors = tile.members, .coefficients = shares, .origin = tile.base},
                      tile.count, out);
  }
  const auto ratio = static_cast<float>(t);
  const float rest = RoundOne(rounding, 1 - t);
  const auto count = static_cast<float>(models);
  float base[kMergeBlock];
  for (size_t begin = 0; begin < tile.count; begin += kMergeBlock) {
    const size_t n = std::min(kMergeBlock, tile.count - begin);
    float* sum = out + begin;
    std::copy_n(tile.members[0] + begin, n, sum);
    for (size_t m = 1; m < models; ++m) {
      const float* member = tile.members[m] + begin;
      MapRun(rounding, n, sum, [&](size_t i) { return sum[i] + member[i]; });
    }
    MapRun(rounding, n, sum, [&](size_t i) { return sum[i] / count; });
    MapRun(rounding, n, sum, [&](size_t i) { return ratio * sum[i]; });
    MapRun(rounding, n, base, [&](size_t i) { return rest * tile.base[begin + i]; });
    MapRun(rounding, n, sum, [&](size_t i) { return sum[i] + base[i]; });
  }
}

class StockKernel : public MergeKernel {
 public:
  explicit StockKernel(const MergeTensor& tensor)
      : rounding_(tensor.rounding), sums_(tensor, VectorsOf::kDeltas, tensor.rounding) {}

  int passes() const override { return 1; }

  void Observe(int /*pass*/, size_t piece, MergeTiles& tiles) override {
    sums_.Observe(piece, tiles);
  }

  void FinishPass(int /*pass*/) override { ratio_ = Ratio(sums_.Finish(), rounding_); }

  void Combine(const MergeTile& tile, float* out) const override {
    Interpolate(tile, ratio_, rounding_, out);
  }

  uint64_t StateBytes(unsigned /*threads*/) const override { return sums_.StateBytes(); }

 private:
  MergeRounding rounding_;
  GramSums sums_;
  double ratio_ = 0;
};

class StockRowsKernel : public MergeKernel {
 public:
  explicit StockRowsKernel(const MergeTensor& tensor)
      : rounding_(tensor.rounding), row_(tensor.shape.back()) {}

  uint64_t granule() const override { return row_; }

  void Combine(const MergeTile& tile, float* out) const override {
    ForEachRow(tile, row_, [&](const MergeTile& row, size_t offset) {
      GramAdder adder(VectorsOf::kDeltas, row.members.size(), rounding_);
      adder.Add(row);
      Interpolate(row, Ratio(adder.Sum(), rounding_), rounding_, out + offset);
    });
  }

 private:
  MergeRounding rounding_;
  uint64_t row_;
};

std::unique_ptr<MergeKernel> MakeModelStock(const MergeTensor& tensor) {
  if (tensor.members.size() < 2) {
    RefuseTensor(tensor.name, "model_stock needs two models besides the base that have the tensor",
                 "add a model, or leave the tensor's layers out");
  }
  const bool rows = tensor.parameters.Flag("filter_wise") && tensor.shape.rank() > 1;
  if (rows && tensor.shape.back() > 0) {
    return std::make_unique<StockRowsKernel>(tensor);
  }
  return std::make_unique<StockKernel>(tensor);
}

}  // namespace

const MergeMethod kModelStock = {.name = "model_stock",
                                 .summary = "toward the mean, by the angle between the models",
                                 .reference = "https://arxiv.org/abs/2403.19522",
                                 .parameters = kParameters,
                                 .base = BaseRole::kRequired,
                                 .least_members = 2,
                                 .lone = LoneTensor::kAsItIs,
                                 .cuts_to_common = true,
                                 .make = MakeModelStock};

}  // namespace lbrx
