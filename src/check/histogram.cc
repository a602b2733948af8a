#include "check/histogram.h"

#include <algorithm>
#include <cmath>

namespace lbrx {
namespace {

constexpr int kHalf = Histogram::kBins / 2;
constexpr int kHalfLog = 9;
static_assert(kHalf == 1 << kHalfLog);

// Exponent e with |value| < 2^e, least of those.
int ExponentOf(double magnitude, int least) {
  int exponent = least;
  if (magnitude > 0) {
    std::frexp(magnitude, &exponent);
  }
  return std::max(exponent, least);
}

// The bins [first, last) that hold all but a thousandth at each end.
struct BinRange {
  size_t first = 0;
  size_t last = 0;
};

BinRange MiddleOf(const Histogram& histogram) {
  const uint64_t spare = histogram.total() / 1000;
  const auto& counts = histogram.counts();
  BinRange range{0, Histogram::kBins};
  for (uint64_t seen = counts[range.first]; seen <= spare; seen += counts[range.first]) {
    ++range.first;
  }
  for (uint64_t seen = counts[range.last - 1]; seen <= spare; seen += counts[range.last - 1]) {
    --range.last;
  }
  return range;
}

std::vector<uint64_t> Join(const Histogram& histogram, const BinRange& range, size_t each) {
  std::vector<uint64_t> joined;
  for (size_t first = range.first; first < range.last; first += each) {
    uint64_t sum = 0;
    for (size_t i = first; i < first + each; ++i) {
      sum += histogram.counts()[i];
    }
    joined.push_back(sum);
  }
  return joined;
}

// Widens the range to whole steps of `each` bins, evenly on both sides as far as there is room.
void RoundTo(BinRange& range, size_t each) {
  const size_t missing = (each - (range.last - range.first) % each) % each;
  const size_t before = std::min(missing / 2, range.first);
  range.first -= before;
  range.last += missing - before;
  if (range.last > Histogram::kBins) {
    range.first -= std::min(range.first, range.last - Histogram::kBins);
    range.last = Histogram::kBins;
  }
  range.last -= (range.last - range.first) % each;  // only where all bins are not whole steps
}

}  // namespace

double Histogram::width() const {
  return std::ldexp(1.0, exponent_ - kHalfLog);
}

double Histogram::edge(size_t bin) const {
  return (static_cast<double>(bin) - kHalf) * width();
}

void Histogram::Widen(int exponent) {
  if (exponent <= exponent_) {
    return;
  }
  const int shift = std::min(exponent - exponent_, kHalfLog + 1);
  exponent_ = exponent;
  if (total_ == 0) {
    return;
  }
  std::array<uint64_t, kBins> joined{};
  for (int i = 0; i < static_cast<int>(kBins); ++i) {
    joined[static_cast<size_t>(((i - kHalf) >> shift) + kHalf)] += counts_[static_cast<size_t>(i)];
  }
  counts_ = joined;
}

template <typename T>
void Histogram::AddRun(std::span<const T> values) {
  T largest = 0;
  for (const T value : values) {
    largest = std::max(largest, std::fabs(value));
  }
  Widen(ExponentOf(static_cast<double>(largest), kLeastExponent));
  const double scale = std::ldexp(1.0, kHalfLog - exponent_);
  for (const T value : values) {
    const double bin = std::floor(static_cast<double>(value) * scale);
    ++counts_[static_cast<size_t>(static_cast<int>(bin) + kHalf)];
  }
  total_ += values.size();
}

void Histogram::Add(std::span<const float> values) {
  AddRun(values);
}

void Histogram::Add(std::span<const double> values) {
  AddRun(values);
}

void Histogram::Add(const Histogram& other) {
  if (other.exponent_ < exponent_) {
    Histogram wide = other;
    wide.Widen(exponent_);
    Add(wide);
    return;
  }
  Widen(other.exponent_);
  for (size_t i = 0; i < kBins; ++i) {
    counts_[i] += other.counts_[i];
  }
  total_ += other.total_;
}

double Histogram::Quantile(double share) const {
  const double wanted = share * static_cast<double>(total_);
  uint64_t seen = 0;
  for (size_t i = 0; i < kBins; ++i) {
    seen += counts_[i];
    if (seen != 0 && static_cast<double>(seen) >= wanted) {
      return edge(i + 1);
    }
  }
  return edge(kBins);
}

Histogram Histogram::Emptied() const {
  Histogram empty;
  empty.exponent_ = exponent_;
  return empty;
}

HistogramView ViewTogether(std::span<const Histogram* const> histograms, size_t bins) {
  HistogramView view;
  Histogram all;
  for (const Histogram* histogram : histograms) {
    all.Add(*histogram);
  }
  if (all.total() == 0 || bins == 0) {
    return view;
  }
  BinRange range = MiddleOf(all);
  const size_t each = (range.last - range.first + bins - 1) / bins;
  RoundTo(range, each);
  view.low = all.edge(range.first);
  view.high = all.edge(range.last);
  for (size_t i = 0; i < Histogram::kBins; ++i) {
    view.below += i < range.first ? all.counts()[i] : 0;
    view.above += i >= range.last ? all.counts()[i] : 0;
  }
  // Added to an empty one of the common range, each has that range.
  for (const Histogram* histogram : histograms) {
    Histogram wide = all.Emptied();
    wide.Add(*histogram);
    view.counts.push_back(Join(wide, range, each));
  }
  return view;
}

}  // namespace lbrx
