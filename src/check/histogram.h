// A histogram of any values in one pass, in fixed memory, the same in whatever order and pieces the
// values come.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lbrx {

// Counts over 1,024 bins of equal width from -2^e to 2^e, where e is the least for which every
// value so far lies inside. A larger value doubles the range and adds neighbouring bins in pairs,
// which loses nothing: floor(floor(x / w) / 2) = floor(x / 2w), and dividing by a power of two is
// exact. So the counts are those of an exact histogram over the final range, which depends on the
// largest magnitude alone, and counts are integers, whose sums know no order.
class Histogram {
 public:
  static constexpr size_t kBins = 1024;

  void Add(std::span<const float> values);  // finite ones
  void Add(std::span<const double> values);
  void Add(const Histogram& other);

  uint64_t total() const { return total_; }

  double width() const;           // of a bin
  double edge(size_t bin) const;  // where bin `bin` begins; kBins: where the last one ends

  const std::array<uint64_t, kBins>& counts() const { return counts_; }

  // The edge below which at least `share` (0 to 1) of the values lie, to a bin.
  double Quantile(double share) const;

  // Over the same range, without values.
  Histogram Emptied() const;

  bool operator==(const Histogram&) const = default;

 private:
  static constexpr int kLeastExponent = -960;  // below it all is counted as near zero
  template <typename T>
  void AddRun(std::span<const T> values);
  void Widen(int exponent);

  int exponent_ = kLeastExponent;
  uint64_t total_ = 0;
  std::array<uint64_t, kBins> counts_{};
};

// Histograms side by side on one axis, in few bins: for drawing.
struct HistogramView {
  double low = 0;
  double high = 0;
  uint64_t below = 0;                         // values left of the axis, of all histograms
  uint64_t above = 0;                         // right of it
  std::vector<std::vector<uint64_t>> counts;  // a row for each histogram, all of one length
};

// At most `bins` bins, each the sum of whole bins of the histograms. A thousandth of the values at
// each end (rounded down) may lie outside the axis, so that one outlier does not squeeze all else.
// No histograms, or no values: no bins.
HistogramView ViewTogether(std::span<const Histogram* const> histograms, size_t bins);

}  // namespace lbrx
