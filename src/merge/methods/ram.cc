// RAM, Reinforced Agent Merging, and its variant RAM+ within a tensor,
// https://arxiv.org/abs/2601.13572.
//
//   delta_m = x_m - base, which counts where |delta_m| > epsilon; c = how many count at a position
//   y = base + the delta_m that counts where c = 1 + the mean of those that count where c > 1
//   ramplus_tl: what only member m has is multiplied by lambda_m = 1 + r * clamp(shared_m /
//   max(unique_m, epsilon), 0, alpha), where shared_m and unique_m are the numbers of positions of
//   the tensor at which m counts along with others, and alone
#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>

#include "merge/methods/delta_runs.h"
#include "merge/methods/methods.h"
#include "merge/methods/parameters.h"
#include "merge/methods/task_vectors.h"

namespace lbrx {
namespace {

constexpr size_t kRun = 1024;

// How many of a tensor's positions a member counts at.
struct Positions {
  uint64_t alone = 0;
  uint64_t shared = 0;
};

class RamKernel final : public MergeKernel {
 public:
  // `plus`: with the factors of RAM+; then only quotients are rounded, as float32 factors make the
  // rest of the peer's arithmetic float32.
  RamKernel(const MergeTensor& tensor, bool plus)
      : rounding_(tensor.rounding),
        sum_rounding_(plus ? MergeRounding::kNone : tensor.rounding),
        epsilon_(RoundOne(tensor.rounding, FiniteParameter(tensor, "epsilon"))),
        members_(tensor.members.size()),
        plus_(plus),
        factors_(members_, 1.0F) {
    if (plus) {
      r_ = FiniteParameter(tensor, "r");
      alpha_ = FiniteParameter(tensor, "alpha");
      epsilon_of_counts_ = FiniteParameter(tensor, "epsilon");
      positions_.resize(members_);
    }
  }

  int passes() const override { return plus_ ? 1 : 0; }

  void Observe(int /*pass*/, size_t /*piece*/, MergeTiles& tiles) override {
    std::vector<Positions> found(members_);
    DeltaRuns deltas(members_, kRun, rounding_);
    std::array<float, kRun> counts;
    while (const MergeTile* tile = tiles.Next()) {
      for (size_t begin = 0; begin < tile->count; begin += kRun) {
        const size_t count = std::min(kRun, tile->count - begin);
        LoadCounting(*tile, begin, count, deltas, counts.data());
        for (size_t m = 0; m < members_; ++m) {
          AddPositions(deltas.slot(m), counts.data(), count, found[m]);
        }
      }
    }
    const std::lock_guard lock(mutex_);
    for (size_t m = 0; m < members_; ++m) {
      positions_[m].alone += found[m].alone;
      positions_[m].shared += found[m].shared;
    }
  }

  void FinishPass(int /*pass*/) override {
    for (size_t m = 0; m < members_; ++m) {
      const double rho = static_cast<double>(positions_[m].shared) /
                         std::max(static_cast<double>(positions_[m].alone), epsilon_of_counts_);
      factors_[m] = static_cast<float>(1 + r_ * std::min(std::max(rho, 0.0), alpha_));
    }
  }

  void Combine(const MergeTile& tile, float* out) const override {
    DeltaRuns deltas(members_, kRun, rounding_);
    std::array<float, kRun> counts;
    for (size_t begin = 0; begin < tile.count; begin += kRun) {
      const size_t count = std::min(kRun, tile.count - begin);
      LoadCounting(tile, begin, count, deltas, counts.data());
      float* sums = out + begin;
      std::fill_n(sums, count, 0.0F);
      for (size_t m = 0; m < members_; ++m) {
        float* values = deltas.slot(m);
        for (size_t i = 0; i < count; ++i) {
          values[i] = counts[i] > 1 ? values[i] / counts[i] : values[i];
        }
        RoundRun(rounding_, values, count);
        for (size_t i = 0; i < count; ++i) {
          sums[i] += counts[i] > 1 ? values[i] : values[i] * factors_[m];
        }
      }
      RoundRun(sum_rounding_, sums, count);
      FastDeltaOps().add(tile.base + begin, sums, count);
      RoundRun(sum_rounding_, sums, count);
    }
  }

  uint64_t StateBytes(unsigned threads) const override {
    return threads * DeltaRuns::Bytes(members_ + 1, kRun);
  }

 private:
  // The deltas that count, 0 for the others, and how many count at each position.
  void LoadCounting(const MergeTile& tile, size_t begin, size_t count, DeltaRuns& deltas,
                    float* counts) const {
    std::fill_n(counts, count, 0.0F);
    for (size_t m = 0; m < members_; ++m) {
      float* values = deltas.Load(tile, m, begin, count, m);
      for (size_t i = 0; i < count; ++i) {
        const bool counting = std::fabs(values[i]) > epsilon_;
        values[i] = counting ? values[i] : 0.0F;
        counts[i] += counting ? 1.0F : 0.0F;
      }
    }
  }

  static void AddPositions(const float* values, const float* counts, size_t count,
                           Positions& found) {
    uint32_t alone = 0;
    uint32_t shared = 0;
    for (size_t i = 0; i < count; ++i) {
      alone += values[i] != 0 && counts[i] == 1 ? 1 : 0;
      shared += values[i] != 0 && counts[i] > 1 ? 1 : 0;
    }
    found.alone += alone;
    found.shared += shared;
  }

  const MergeRounding rounding_;
  const MergeRounding sum_rounding_;
  const float epsilon_;
  const size_t members_;
  const bool plus_;
  double r_ = 0;
  double alpha_ = 0;
  double epsilon_of_counts_ = 0;
  std::mutex mutex_;
  std::vector<Positions> positions_;
  std::vector<float> factors_;
};

constexpr MergeParameterInfo kEpsilonParameter = {
    .name = "epsilon", .standard = 1e-5, .summary = "changes up to it do not count"};

constexpr std::array kRamParameters = {kEpsilonParameter};
constexpr std::array kRamplusParameters = {
    kEpsilonParameter,
    MergeParameterInfo{.name = "r", .standard = 0.1, .summary = "how much overlap reinforces"},
    MergeParameterInfo{
        .name = "alpha", .standard = 0.2, .summary = "the overlap beyond which it does no more"},
};

std::unique_ptr<MergeKernel> Make(const MergeTensor& tensor, bool plus) {
  RequireBase(tensor);
  // With a negative one, deltas of 0 would count.
  ParameterFrom(tensor, "epsilon", 0);
  return std::make_unique<RamKernel>(tensor, plus);
}

}  // namespace

const MergeMethod kRam = {
    .name = "ram",
    .summary = "changes of one model whole, those that several share as their mean",
    .reference = "https://arxiv.org/abs/2601.13572",
    .parameters = kRamParameters,
    .base = BaseRole::kRequired,
    .lone = LoneTensor::kError,
    .make = [](const MergeTensor& tensor) { return Make(tensor, false); },
};

const MergeMethod kRamplusTl = {
    .name = "ramplus_tl",
    .summary = "ram, with a model's own changes reinforced by how much it shares",
    .reference = "https://arxiv.org/abs/2601.13572",
    .parameters = kRamplusParameters,
    .base = BaseRole::kRequired,
    .lone = LoneTensor::kError,
    .widens = true,
    .make = [](const MergeTensor& tensor) { return Make(tensor, true); },
};

}  // namespace lbrx
