#include "convert/allocate.h"

#include <algorithm>
#include <numeric>

namespace lbrx {
namespace {

// Ways by rising bytes and falling error: the only ones that can be worth taking.
using Front = std::vector<size_t>;

Front FrontOf(const std::vector<Choosable>& ways) {
  Front order(ways.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return ways[a].bytes != ways[b].bytes ? ways[a].bytes < ways[b].bytes
                                          : ways[a].error < ways[b].error;
  });
  Front front;
  for (const size_t way : order) {
    if (front.empty() || ways[way].error < ways[front.back()].error) {
      front.push_back(way);
    }
  }
  return front;
}

// Error saved by a byte, between two ways.
double Gain(const Choosable& from, const Choosable& to) {
  return (from.error - to.error) / static_cast<double>(to.bytes - from.bytes);
}

// Positions in `front` whose steps have falling gain: its lower convex hull.
std::vector<size_t> HullOf(const std::vector<Choosable>& ways, const Front& front) {
  std::vector<size_t> hull;
  for (size_t i = 0; i < front.size(); ++i) {
    while (hull.size() >= 2 && Gain(ways[front[hull[hull.size() - 2]]], ways[front[hull.back()]]) <=
                                   Gain(ways[front[hull.back()]], ways[front[i]])) {
      hull.pop_back();
    }
    hull.push_back(i);
  }
  return hull;
}

class Allocation {
 public:
  Allocation(const std::vector<std::vector<Choosable>>& tensors, uint64_t budget)
      : tensors_(tensors), budget_(budget), taken_(tensors.size(), 0) {
    fronts_.reserve(tensors.size());
    for (const std::vector<Choosable>& ways : tensors) {
      fronts_.push_back(FrontOf(ways));
      used_ += ways[fronts_.back()[0]].bytes;
    }
  }

  bool fits() const { return used_ <= budget_; }

  void TakeHullSteps() {
    struct Step {
      double gain;
      size_t tensor;
      size_t to;  // position in the front
    };

    std::vector<Step> steps;
    for (size_t i = 0; i < tensors_.size(); ++i) {
      const std::vector<size_t> hull = HullOf(tensors_[i], fronts_[i]);
      for (size_t k = 1; k < hull.size(); ++k) {
        steps.push_back({Gain(Way(i, hull[k - 1]), Way(i, hull[k])), i, hull[k]});
      }
    }
    // Stable, and a tensor's own gains fall: its steps stay in order.
    std::stable_sort(steps.begin(), steps.end(),
                     [](const Step& a, const Step& b) { return a.gain > b.gain; });
    std::vector<bool> stopped(tensors_.size(), false);
    for (const Step& step : steps) {
      stopped[step.tensor] = stopped[step.tensor] || !Fits(step.tensor, step.to);
      if (!stopped[step.tensor]) {
        Take(step.tensor, step.to);
      }
    }
  }

  // One better way for one tensor, or for one at the cost of another. False: there is none.
  bool Improve() {
    Change best;
    for (size_t i = 0; i < tensors_.size(); ++i) {
      for (size_t to = taken_[i] + 1; to < fronts_[i].size(); ++to) {
        Consider(i, to, best);
      }
    }
    if (best.saved <= 0) {
      return false;
    }
    if (best.paying != kNone) {
      Take(best.paying, best.paying_to);
    }
    Take(best.tensor, best.to);
    return true;
  }

  std::vector<size_t> Result() const {
    std::vector<size_t> ways(tensors_.size());
    for (size_t i = 0; i < ways.size(); ++i) {
      ways[i] = fronts_[i][taken_[i]];
    }
    return ways;
  }

 private:
  static constexpr size_t kNone = SIZE_MAX;

  struct Change {
    double saved = 0;
    size_t tensor = 0;
    size_t to = 0;
    size_t paying = kNone;  // the tensor that gives up bytes
    size_t paying_to = 0;
  };

  const Choosable& Way(size_t tensor, size_t position) const {
    return tensors_[tensor][fronts_[tensor][position]];
  }

  const Choosable& Now(size_t tensor) const { return Way(tensor, taken_[tensor]); }

  bool Fits(size_t tensor, size_t to) const {
    return used_ - Now(tensor).bytes + Way(tensor, to).bytes <= budget_;
  }

  void Take(size_t tensor, size_t to) {
    used_ = used_ - Now(tensor).bytes + Way(tensor, to).bytes;
    taken_[tensor] = to;
  }

  void Consider(size_t tensor, size_t to, Change& best) const {
    const double saved = Now(tensor).error - Way(tensor, to).error;
    if (saved <= best.saved) {
      return;
    }
    if (Fits(tensor, to)) {
      best = {.saved = saved, .tensor = tensor, .to = to};
      return;
    }
    const uint64_t missing = used_ - Now(tensor).bytes + Way(tensor, to).bytes - budget_;
    for (size_t other = 0; other < tensors_.size(); ++other) {
      if (other == tensor) {
        continue;
      }
      // The first that frees enough loses least.
      for (size_t down = taken_[other]; down-- > 0;) {
        if (Now(other).bytes - Way(other, down).bytes >= missing) {
          const double net = saved - (Way(other, down).error - Now(other).error);
          if (net > best.saved) {
            best = {net, tensor, to, other, down};
          }
          break;
        }
      }
    }
  }

  const std::vector<std::vector<Choosable>>& tensors_;
  uint64_t budget_;
  std::vector<Front> fronts_;
  std::vector<size_t> taken_;  // positions in the fronts
  uint64_t used_ = 0;
};

}  // namespace

std::optional<std::vector<size_t>> Allocate(const std::vector<std::vector<Choosable>>& tensors,
                                            uint64_t budget) {
  // Exchanges look at all pairs: a bound on them keeps thousands of tensors quick.
  constexpr size_t kWork = 200'000'000;
  Allocation allocation(tensors, budget);
  if (!allocation.fits()) {
    return std::nullopt;
  }
  allocation.TakeHullSteps();
  const size_t pairs = std::max<size_t>(tensors.size() * tensors.size() * 8, 1);
  for (size_t round = 0; round < std::max<size_t>(kWork / pairs, 1); ++round) {
    if (!allocation.Improve()) {
      break;
    }
  }
  return allocation.Result();
}

}  // namespace lbrx
