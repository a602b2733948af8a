#include "merge/methods/sparsify.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "merge/methods/delta_ops.h"
#include "merge/methods/elementwise.h"
#include "merge/methods/parameters.h"
#include "merge/methods/sparsify_parts.h"

namespace lbrx {
namespace {

// Norms below it are taken as 0, as the peer does: nothing is scaled by their quotient.
constexpr double kSmallNorm = 1e-7;

// One pass more than `inner`, for the L1 norms before and after thinning.
class Rescaled final : public Sparsifier {
 public:
  Rescaled(std::unique_ptr<Sparsifier> inner, const MergeTensor& tensor, MergeRounding rounding)
      : inner_(std::move(inner)),
        rounding_(rounding),
        norms_(CutIntoPieces(tensor.shape.elements(), inner_->granule()).count) {}

  uint64_t granule() const override { return inner_->granule(); }

  int passes() const override { return inner_->passes() + 1; }

  std::unique_ptr<Watch> Begin(int pass, size_t piece) override {
    if (pass < inner_->passes()) {
      return inner_->Begin(pass, piece);
    }
    return std::make_unique<Norms>(*inner_, norms_[piece]);
  }

  void FinishPass(int pass) override {
    if (pass < inner_->passes()) {
      inner_->FinishPass(pass);
      return;
    }
    double before = 0;
    double after = 0;
    for (const auto& [all, left] : norms_) {
      before += all;
      after += left;
    }
    norms_ = {};
    // Norms beyond the range of F16, which the peer makes infinite, stay what they are.
    if (std::isfinite(RoundOne(rounding_, std::max(before, after)))) {
      before = RoundOne(rounding_, before);
      after = RoundOne(rounding_, after);
    }
    if (before >= kSmallNorm && after >= kSmallNorm) {
      factor_ = RoundOne(rounding_, before / after);
    }
  }

  void Apply(uint64_t first, float* deltas, size_t count) const override {
    inner_->Apply(first, deltas, count);
    FastDeltaOps().scale(factor_, deltas, count);
    RoundRun(rounding_, deltas, count);
  }

  uint64_t StateBytes(unsigned threads) const override {
    return inner_->StateBytes(threads) + norms_.size() * sizeof(norms_[0]);
  }

 private:
  using PieceNorms = std::pair<double, double>;  // before, after

  class Norms final : public Watch {
   public:
    Norms(const Sparsifier& sparsifier, PieceNorms& norms)
        : sparsifier_(sparsifier), norms_(norms) {}

    ~Norms() override { norms_ = {Total(before_), Total(after_)}; }

    void See(uint64_t first, const float* deltas, size_t count) override {
      thinned_.assign(deltas, deltas + count);
      sparsifier_.Apply(first, thinned_.data(), count);
      AddMagnitudes(first, deltas, count, before_);
      AddMagnitudes(first, thinned_.data(), count, after_);
    }

   private:
    const Sparsifier& sparsifier_;
    PieceNorms& norms_;
    std::vector<float> thinned_;
    SumLanes before_{};
    SumLanes after_{};
  };

  const std::unique_ptr<Sparsifier> inner_;
  const MergeRounding rounding_;
  std::vector<PieceNorms> norms_;
  float factor_ = 1;
};

double Gamma(const MergeTensor& tensor, size_t member) {
  const double gamma = FiniteParameter(tensor, member, "gamma");
  if (gamma < 0 || gamma > 1) {
    RefuseParameter(tensor, "gamma", gamma, "a share between 0 and 1");
  }
  return gamma;
}

}  // namespace

std::unique_ptr<Sparsifier::Watch> Sparsifier::Begin(int /*pass*/, size_t /*piece*/) {
  return nullptr;
}

void Sparsifier::FinishPass(int /*pass*/) {}

uint64_t Sparsifier::StateBytes(unsigned /*threads*/) const {
  return 0;
}

std::unique_ptr<Sparsifier> MakeRescaled(std::unique_ptr<Sparsifier> inner,
                                         const MergeTensor& tensor, MergeRounding rounding) {
  return std::make_unique<Rescaled>(std::move(inner), tensor, rounding);
}

uint64_t DrawsOfMembers(Sparsification rule, const MergeTensor& tensor, size_t end) {
  uint64_t draws = 0;
  for (size_t m = 0; m < end; ++m) {
    const double density = FiniteParameter(tensor, m, "density");
    // Where nothing is left the peer draws for `random` all the same.
    const bool drawn = rule == Sparsification::kRandom
                           ? density < 1
                           : rule == Sparsification::kRankedRandom && density > 0 && density < 1;
    draws += drawn ? tensor.shape.elements() : 0;
  }
  return draws;
}

std::unique_ptr<Sparsifier> MakeSparsifier(Sparsification rule, const MergeTensor& tensor,
                                           size_t member, bool rescale) {
  const double density = FiniteParameter(tensor, member, "density");
  if (rule == Sparsification::kNone || density >= 1 || tensor.shape.elements() == 0) {
    return nullptr;
  }
  if (density <= 0) {
    return MakeEmpty();
  }
  // On the CPU the peer draws for F16 in float32.
  const MergeRounding drawn =
      tensor.rounding == MergeRounding::kBF16 ? MergeRounding::kBF16 : MergeRounding::kNone;
  const uint64_t position = tensor.stream_position + DrawsOfMembers(rule, tensor, member);
  std::unique_ptr<Sparsifier> sparsifier;
  MergeRounding rounding = drawn;  // of the norms
  switch (rule) {
    case Sparsification::kNone:
    case Sparsification::kMagnitude:
      sparsifier = MakeLargest(tensor, density);
      rounding = tensor.rounding;
      break;
    case Sparsification::kOutliers:
      sparsifier = MakeWithoutOutliers(tensor, density, Gamma(tensor, member));
      rounding = tensor.rounding;
      break;
    case Sparsification::kRandom:
      sparsifier = MakeRandom(tensor, member, density, drawn, position);
      break;
    case Sparsification::kRankedRandom:
      sparsifier = MakeRankedRandom(tensor, member, density, drawn, position);
      break;
  }
  return rescale && sparsifier != nullptr ? MakeRescaled(std::move(sparsifier), tensor, rounding)
                                          : std::move(sparsifier);
}

}  // namespace lbrx
