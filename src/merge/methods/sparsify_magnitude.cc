// Thinning by magnitude. What is left is an interval of the order of magnitudes, whose ends are
// found exactly by RankSelect; of equal magnitudes the order is that of indices.
#include <algorithm>
#include <utility>
#include <vector>

#include "merge/methods/delta_ops.h"
#include "merge/methods/sparsify_parts.h"
#include "merge/rank_select.h"

namespace lbrx {
namespace {

class Empty final : public Sparsifier {
 public:
  void Apply(uint64_t /*first*/, float* deltas, size_t count) const override {
    std::fill_n(deltas, count, 0.0F);
  }
};

// An end of the interval of what is left.
struct Bound {
  RankQuery at;
  bool keeps_before = false;  // elements before it in its order are left; else it and those after
};

class WithinRanks final : public Sparsifier {
 public:
  WithinRanks(uint64_t elements, std::vector<Bound> bounds)
      : select_(elements, CutIntoPieces(elements, 1).count), bounds_(std::move(bounds)) {
    std::vector<RankQuery> queries;
    for (const Bound& bound : bounds_) {
      queries.push_back(bound.at);
    }
    select_.Ask(queries);
  }

  int passes() const override { return select_.passes(); }

  std::unique_ptr<Watch> Begin(int pass, size_t piece) override {
    return select_.Needs(pass, piece) ? std::make_unique<Looking>(select_, pass, piece) : nullptr;
  }

  void FinishPass(int pass) override { select_.FinishPass(pass); }

  void Apply(uint64_t first, float* deltas, size_t count) const override {
    // The range of magnitudes that are left changes where an element at an end stands.
    for (size_t begin = 0; begin < count;) {
      size_t end = count;
      for (size_t q = 0; q < bounds_.size(); ++q) {
        const uint64_t index = select_.found(q).index;
        if (index > first + begin && index < first + end) {
          end = static_cast<size_t>(index - first);
        }
      }
      FastDeltaOps().keep_range(RangeAt(first + begin), deltas + begin, end - begin);
      begin = end;
    }
  }

  uint64_t StateBytes(unsigned threads) const override { return select_.StateBytes(threads); }

 private:
  class Looking final : public Watch {
   public:
    Looking(RankSelect& select, int pass, size_t piece) : watch_(select, pass, piece) {}

    void See(uint64_t first, const float* deltas, size_t count) override {
      watch_.See(first, deltas, count);
    }

   private:
    RankSelect::Watch watch_;
  };

  MagnitudeRange RangeAt(uint64_t index) const {
    MagnitudeRange range;
    for (size_t q = 0; q < bounds_.size(); ++q) {
      const RankedElement& end = select_.found(q);
      const auto bits = static_cast<int32_t>(end.bits);
      const bool before = index < end.index;  // of equal magnitudes, in either order
      const bool keeps_before = bounds_[q].keeps_before;
      const bool keeps_equal = before == keeps_before;
      if ((bounds_[q].at.order == TieOrder::kAscending) == keeps_before) {  // smaller ones are left
        range.last = std::min(range.last, keeps_equal ? bits : bits - 1);
      } else {
        range.first = std::max(range.first, keeps_equal ? bits : bits + 1);
      }
    }
    return range;
  }

  RankSelect select_;
  const std::vector<Bound> bounds_;
};

// As the peer: the product in double, cut off.
uint64_t Share(double share, uint64_t elements) {
  return static_cast<uint64_t>(share * static_cast<double>(elements));
}

}  // namespace

std::unique_ptr<Sparsifier> MakeEmpty() {
  return std::make_unique<Empty>();
}

std::unique_ptr<Sparsifier> MakeLargestOf(uint64_t elements, uint64_t kept) {
  if (kept >= elements) {
    return nullptr;
  }
  if (kept == 0) {
    return MakeEmpty();
  }
  const Bound end = {.at = {.position = kept, .order = TieOrder::kDescending},
                     .keeps_before = true};
  return std::make_unique<WithinRanks>(elements, std::vector<Bound>{end});
}

std::unique_ptr<Sparsifier> MakeLargest(const MergeTensor& tensor, double density) {
  const uint64_t elements = tensor.shape.elements();
  return MakeLargestOf(elements, std::max<uint64_t>(Share(density, elements), 1));
}

std::unique_ptr<Sparsifier> MakeWithoutOutliers(const MergeTensor& tensor, double density,
                                                double gamma) {
  const uint64_t elements = tensor.shape.elements();
  const uint64_t kept = Share(density, elements);
  const uint64_t outliers = Share(gamma, elements);
  const uint64_t begin = elements > kept + outliers ? elements - kept - outliers : 0;
  if (kept == 0) {
    return MakeEmpty();
  }
  std::vector<Bound> bounds;
  if (begin > 0) {
    bounds.push_back(
        {.at = {.position = begin, .order = TieOrder::kAscending}, .keeps_before = false});
  }
  if (begin + kept < elements) {
    bounds.push_back(
        {.at = {.position = begin + kept, .order = TieOrder::kAscending}, .keeps_before = true});
  }
  return bounds.empty() ? nullptr : std::make_unique<WithinRanks>(elements, std::move(bounds));
}

}  // namespace lbrx
