#include "merge/methods/task_vectors.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "core/base/checked.h"
#include "merge/methods/delta_ops.h"
#include "merge/methods/delta_runs.h"
#include "merge/methods/elementwise.h"
#include "merge/methods/parameters.h"

namespace lbrx {
namespace {

// Elements that are worked on at once: those of all members stay in L1.
constexpr uint64_t kRunElements = 1024;

class TaskVectors final : public MergeKernel {
 public:
  TaskVectors(const MergeTensor& tensor, const TaskVectorScheme& scheme)
      : rounding_(tensor.rounding),
        consensus_(scheme.consensus),
        normalize_(tensor.parameters.Flag("normalize")),
        lambda_(static_cast<float>(FiniteParameter(tensor, "lambda"))) {
    const bool rescale = tensor.parameters.Flag("rescale");
    for (size_t m = 0; m < tensor.members.size(); ++m) {
      weights_.push_back(RoundOne(rounding_, FiniteParameter(tensor, m, "weight")));
      sparsifiers_.push_back(MakeSparsifier(scheme.sparsification, tensor, m, rescale));
      if (sparsifiers_.back() != nullptr) {
        granule_ = std::lcm(granule_, sparsifiers_.back()->granule());
      }
    }
    float sum = 0;
    for (const float weight : weights_) {
      sum += weight;
    }
    weight_sum_ = RoundOne(rounding_, sum);
    run_ = std::max<uint64_t>(kRunElements / granule_, 1) * granule_;
  }

  uint64_t granule() const override { return granule_; }

  int passes() const override {
    int most = 0;
    for (const auto& sparsifier : sparsifiers_) {
      most = std::max(most, sparsifier == nullptr ? 0 : sparsifier->passes());
    }
    return most;
  }

  void Observe(int pass, size_t piece, MergeTiles& tiles) override {
    std::vector<std::unique_ptr<Sparsifier::Watch>> watches(sparsifiers_.size());
    bool needed = false;
    for (size_t m = 0; m < sparsifiers_.size(); ++m) {
      if (sparsifiers_[m] != nullptr && pass < sparsifiers_[m]->passes()) {
        watches[m] = sparsifiers_[m]->Begin(pass, piece);
        needed = needed || watches[m] != nullptr;
      }
    }
    if (!needed) {
      return;  // without reading anything
    }
    DeltaRuns deltas(1, run_, rounding_);
    while (const MergeTile* tile = tiles.Next()) {
      for (size_t begin = 0; begin < tile->count; begin += run_) {
        const size_t count = std::min<size_t>(run_, tile->count - begin);
        for (size_t m = 0; m < watches.size(); ++m) {
          if (watches[m] != nullptr) {
            watches[m]->See(tile->first + begin, deltas.Load(*tile, m, begin, count, 0), count);
          }
        }
      }
    }
  }

  void FinishPass(int pass) override {
    for (const auto& sparsifier : sparsifiers_) {
      if (sparsifier != nullptr && pass < sparsifier->passes()) {
        sparsifier->FinishPass(pass);
      }
    }
  }

  void Combine(const MergeTile& tile, float* out) const override {
    const size_t members = weights_.size();
    DeltaRuns deltas(members, run_, rounding_);
    std::vector<float> divisors(run_);
    for (size_t begin = 0; begin < tile.count; begin += run_) {
      const size_t count = std::min<size_t>(run_, tile.count - begin);
      for (size_t m = 0; m < members; ++m) {
        float* values = deltas.Load(tile, m, begin, count, m);
        if (sparsifiers_[m] != nullptr) {
          sparsifiers_[m]->Apply(tile.first + begin, values, count);
        }
        FastDeltaOps().scale(weights_[m], values, count);
        RoundRun(rounding_, values, count);
      }
      AddToBase(deltas.AsVote(weights_), tile.base + begin, count, divisors.data(), out + begin);
    }
  }

  uint64_t StateBytes(unsigned threads) const override {
    uint64_t bytes = threads * run_ * (weights_.size() + 3) * sizeof(float);
    for (const auto& sparsifier : sparsifiers_) {
      bytes += sparsifier == nullptr ? 0 : sparsifier->StateBytes(threads);
    }
    return bytes;
  }

 private:
  // out = base + what the vote says; `divisors` is scratch.
  void AddToBase(const Vote& vote, const float* base, size_t count, float* divisors,
                 float* out) const {
    const DeltaOps& ops = FastDeltaOps();
    if (consensus_) {
      ops.elect(vote, count, out, divisors);
      RoundRun(rounding_, divisors, count);
    } else {
      ops.sum(vote, count, out);
      // As the peer: weights that add up to nearly nothing divide nothing.
      std::fill_n(divisors, count, std::fabs(weight_sum_) < 1e-8F ? 1.0F : weight_sum_);
    }
    RoundRun(rounding_, out, count);
    if (normalize_) {
      ops.divide(divisors, out, count);
      RoundRun(rounding_, out, count);
    }
    if (lambda_ != 1) {
      ops.scale(lambda_, out, count);
      RoundRun(rounding_, out, count);
    }
    ops.add(base, out, count);
    RoundRun(rounding_, out, count);
  }

  const MergeRounding rounding_;
  const bool consensus_;
  const bool normalize_;
  const float lambda_;
  std::vector<float> weights_;
  float weight_sum_ = 0;
  std::vector<std::unique_ptr<Sparsifier>> sparsifiers_;  // nullptr: the member is not thinned
  uint64_t granule_ = 1;
  uint64_t run_ = 0;
};

}  // namespace

void RequireBase(const MergeTensor& tensor) {
  if (!tensor.has_base) {
    RefuseTensor(tensor.name, "the base model has no such tensor, and the method needs it",
                 "choose another base_model, or leave the tensor out");
  }
}

std::unique_ptr<MergeKernel> MakeTaskVectorKernel(const MergeTensor& tensor,
                                                  const TaskVectorScheme& scheme) {
  RequireBase(tensor);
  return std::make_unique<TaskVectors>(tensor, scheme);
}

}  // namespace lbrx
