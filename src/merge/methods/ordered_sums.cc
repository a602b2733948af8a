#include "merge/methods/ordered_sums.h"

#include <utility>

namespace lbrx {

void OrderedSums::Add(size_t piece, std::vector<double> figures) {
  const std::lock_guard lock(mutex_);
  sums_.resize(figures_);
  early_.emplace(piece, std::move(figures));
  while (!early_.empty() && early_.begin()->first == next_) {
    const std::vector<double>& next = early_.begin()->second;
    for (size_t i = 0; i < figures_; ++i) {
      sums_[i] += next[i];
    }
    early_.erase(early_.begin());
    ++next_;
  }
}

std::vector<double> OrderedSums::Finish() {
  next_ = 0;
  std::vector<double> sums = std::exchange(sums_, {});
  sums.resize(figures_);
  return sums;
}

}  // namespace lbrx
