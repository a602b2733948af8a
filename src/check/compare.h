// Two runs of values side by side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace lbrx {

// Sums over pairs of elements in float64, in a fixed order. Added band by band in order, so
// independent of threads.
struct ComparisonSums {
  uint64_t count = 0;
  double max_difference = 0;      // infinite where one side only is NaN or infinite
  double squared_difference = 0;  // likewise
  double squared_a = 0;           // this and those below: over pairs that are finite in both
  double squared_b = 0;
  double product = 0;

  void Add(const ComparisonSums& other);
  double Rmse() const;    // 0 without elements
  double Cosine() const;  // 1 where nothing differs, 0 where just one side is all zero
};

// Spans of the same length. A pair of NaN, or of equal infinities, does not differ.
ComparisonSums Compare(std::span<const float> a, std::span<const float> b);
ComparisonSums Compare(std::span<const double> a, std::span<const double> b);
// Of elements that have no numeric value: an infinite difference where any byte differs.
ComparisonSums CompareBytes(std::span<const std::byte> a, std::span<const std::byte> b);

}  // namespace lbrx
