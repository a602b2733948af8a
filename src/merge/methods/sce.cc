// SCE: select, calculate, erase. FuseChat: Knowledge Fusion of Chat Models,
// https://arxiv.org/abs/2408.07990.
//
//   delta_m = x_m - base; select: V = population variance of the delta_m at each position, of which
//   the int(nonzeros(V) * select_topk) largest are kept (the product in float32; equal ones in the
//   order of their indices), and the delta_m there
//   calculate: w_m = mean(delta_m^2) over the tensor, divided by their sum; all the same where that
//   is below 1e-6
//   erase: only members that agree with the sign of sum_m delta_m count
//   y = base + sum_m w_m delta_m / max(sum_m w_m, 1e-6)
#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>

#include "merge/methods/delta_runs.h"
#include "merge/methods/gram.h"
#include "merge/methods/methods.h"
#include "merge/methods/parameters.h"
#include "merge/methods/sparsify_parts.h"
#include "merge/methods/task_vectors.h"
#include "merge/rank_select.h"

namespace lbrx {
namespace {

constexpr size_t kRun = 1024;

class SceKernel final : public MergeKernel {
 public:
  SceKernel(const MergeTensor& tensor, double top)
      : rounding_(tensor.rounding),
        members_(tensor.members.size()),
        elements_(tensor.shape.elements()),
        top_(static_cast<float>(top)),
        squares_(CutIntoPieces(elements_, 1).count) {}

  // The nonzeros, those of the selection, the squares.
  int passes() const override { return (Selects() ? 1 : 0) + SelectionPasses() + 1; }

  void Observe(int pass, size_t piece, MergeTiles& tiles) override {
    switch (PartOf(pass)) {
      case Part::kNonzeros:
        return CountNonzeros(tiles);
      case Part::kSelection:
        return ObserveSelection(pass, piece, tiles);
      case Part::kSquares:
        return SumSquares(piece, tiles);
    }
  }

  void FinishPass(int pass) override {
    switch (PartOf(pass)) {
      case Part::kNonzeros:
        return MakeSelection();
      case Part::kSelection:
        return selection_->FinishPass(pass - 1);
      case Part::kSquares:
        return MakeWeights();
    }
  }

  void Combine(const MergeTile& tile, float* out) const override {
    const DeltaOps& ops = FastDeltaOps();
    Work work(members_, rounding_);
    ForEachRun(tile, work, [&](size_t begin, size_t count) {
      const Vote vote = work.deltas.AsVote(weights_);
      float* sums = out + begin;
      float* divisors = work.variances.data();
      ops.elect(vote, count, sums, divisors);
      ops.keep_winners(vote, count);
      for (size_t m = 0; m < members_; ++m) {
        ops.scale(weights_[m], work.deltas.slot(m), count);
        RoundRun(rounding_, work.deltas.slot(m), count);
      }
      ops.sum(vote, count, sums);
      RoundRun(rounding_, sums, count);
      RoundRun(rounding_, divisors, count);
      const float least = RoundOne(rounding_, 1e-6);
      std::transform(divisors, divisors + count, divisors,
                     [&](float divisor) { return std::max(divisor, least); });
      ops.divide(divisors, sums, count);
      RoundRun(rounding_, sums, count);
      ops.add(tile.base + begin, sums, count);
      RoundRun(rounding_, sums, count);
    });
  }

  uint64_t StateBytes(unsigned threads) const override {
    // The selection does not exist yet where memory is planned.
    const uint64_t selection =
        Selects() ? RankSelect(elements_, squares_.size()).StateBytes(threads) : 0;
    return threads * DeltaRuns::Bytes(members_ + 1, kRun) +
           squares_.size() * members_ * sizeof(double) + selection;
  }

 private:
  enum class Part : uint8_t { kNonzeros, kSelection, kSquares };

  struct Work {
    Work(size_t members, MergeRounding rounding)
        : deltas(members, kRun, rounding), variances(kRun) {}

    DeltaRuns deltas;
    std::vector<float> variances;
  };

  bool Selects() const { return top_ < 1; }

  int SelectionPasses() const { return selection_ == nullptr ? 0 : selection_->passes(); }

  Part PartOf(int pass) const {
    const int selection = Selects() ? pass - 1 : pass;
    return selection < 0                   ? Part::kNonzeros
           : selection < SelectionPasses() ? Part::kSelection
                                           : Part::kSquares;
  }

  void Variances(Work& work, size_t count) const {
    const Vote vote = work.deltas.AsVote(weights_);
    FastDeltaOps().variance(vote, count, work.variances.data());
    RoundRun(rounding_, work.variances.data(), count);
  }

  // body(begin, count) with the selected deltas of each run in `work`.
  template <typename Body>
  void ForEachRun(const MergeTile& tile, Work& work, Body body) const {
    for (size_t begin = 0; begin < tile.count; begin += kRun) {
      const size_t count = std::min(kRun, tile.count - begin);
      work.deltas.LoadAll(tile, begin, count);
      if (selection_ != nullptr) {
        Variances(work, count);
        selection_->Apply(tile.first + begin, work.variances.data(), count);
        for (size_t m = 0; m < members_; ++m) {
          KeepWhere(work.variances.data(), work.deltas.slot(m), count);
        }
      }
      body(begin, count);
    }
  }

  static void KeepWhere(const float* selected, float* values, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      values[i] = selected[i] != 0 ? values[i] : 0.0F;
    }
  }

  template <typename See>
  void ForEachVariances(MergeTiles& tiles, See see) const {
    Work work(members_, rounding_);
    while (const MergeTile* tile = tiles.Next()) {
      for (size_t begin = 0; begin < tile->count; begin += kRun) {
        const size_t count = std::min(kRun, tile->count - begin);
        work.deltas.LoadAll(*tile, begin, count);
        Variances(work, count);
        see(tile->first + begin, work.variances.data(), count);
      }
    }
  }

  void CountNonzeros(MergeTiles& tiles) {
    uint64_t nonzeros = 0;
    ForEachVariances(tiles, [&](uint64_t /*first*/, const float* variances, size_t count) {
      nonzeros += count - static_cast<size_t>(std::count(variances, variances + count, 0.0F));
    });
    nonzeros_ += nonzeros;
  }

  void MakeSelection() {
    const auto selected =
        static_cast<uint64_t>(static_cast<float>(nonzeros_.load()) * std::max(top_, 0.0F));
    selection_ = MakeLargestOf(elements_, selected);
  }

  void ObserveSelection(int pass, size_t piece, MergeTiles& tiles) {
    if (const std::unique_ptr<Sparsifier::Watch> watch = selection_->Begin(pass - 1, piece)) {
      ForEachVariances(tiles, [&](uint64_t first, const float* variances, size_t count) {
        watch->See(first, variances, count);
      });
    }
  }

  void SumSquares(size_t piece, MergeTiles& tiles) {
    std::vector<DotLanes> lanes(members_);
    Work work(members_, rounding_);
    while (const MergeTile* tile = tiles.Next()) {
      ForEachRun(*tile, work, [&](size_t begin, size_t count) {
        for (size_t m = 0; m < members_; ++m) {
          AddSquares(tile->first + begin, work.deltas.slot(m), count, lanes[m]);
        }
      });
    }
    for (const DotLanes& sums : lanes) {
      squares_[piece].push_back(Total(sums));
    }
  }

  // `values` become their squares where the peer rounds those.
  void AddSquares(uint64_t first, float* values, size_t count, DotLanes& sums) const {
    if (rounding_ == MergeRounding::kNone) {
      AddProducts(values, values, first, count, sums);
      return;
    }
    MapRun(rounding_, count, values, [&](size_t i) { return values[i] * values[i]; });
    const std::array<float, kRun> ones = Ones();
    AddProducts(values, ones.data(), first, count, sums);
  }

  static std::array<float, kRun> Ones() {
    std::array<float, kRun> ones;
    ones.fill(1);
    return ones;
  }

  void MakeWeights() {
    std::vector<double> means(members_);
    double sum = 0;
    for (size_t m = 0; m < members_; ++m) {
      for (const std::vector<double>& piece : squares_) {
        means[m] += piece[m];
      }
      means[m] /= static_cast<double>(std::max<uint64_t>(elements_, 1));
      means[m] = rounding_ == MergeRounding::kNone ? means[m] : RoundOne(rounding_, means[m]);
      sum += means[m];
    }
    squares_ = {};
    sum = rounding_ == MergeRounding::kNone ? sum : RoundOne(rounding_, sum);
    const bool nothing = std::fabs(sum) < 1e-6;
    for (const double mean : means) {
      weights_.push_back(
          RoundOne(rounding_, nothing ? 1.0 / static_cast<double>(members_) : mean / sum));
    }
  }

  const MergeRounding rounding_;
  const size_t members_;
  const uint64_t elements_;
  const float top_;
  std::atomic<uint64_t> nonzeros_{0};
  std::unique_ptr<Sparsifier> selection_;     // nullptr: all elements
  std::vector<std::vector<double>> squares_;  // of each piece, of each member
  std::vector<float> weights_;
};

constexpr std::array kParameters = {
    MergeParameterInfo{.name = "select_topk",
                       .standard = 1,
                       .summary = "share of positions that is kept, those of largest variance"},
    kInt8MaskParameter,
};

std::unique_ptr<MergeKernel> MakeSce(const MergeTensor& tensor) {
  RequireBase(tensor);
  return std::make_unique<SceKernel>(tensor, FiniteParameter(tensor, "select_topk"));
}

}  // namespace

const MergeMethod kSce = {
    .name = "sce",
    .summary = "the changes that differ most among models, weighted by their size",
    .reference = "https://arxiv.org/abs/2408.07990",
    .parameters = kParameters,
    .base = BaseRole::kRequired,
    .lone = LoneTensor::kError,
    .make = MakeSce,
};

}  // namespace lbrx
