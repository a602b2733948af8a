// Comparing tensors in pairs, all bands of all pairs side by side.
#pragma once

#include <vector>

#include "check/compare.h"
#include "check/distribution.h"
#include "check/scan.h"

namespace lbrx {

// Two tensors of the same shape, as loaded by a scanner.
struct ValuePair {
  ValuePtr a;
  ValuePtr b;
};

// Where the distributions of the pairs go: pair i to group group_of[i] of each set.
struct PairDistributions {
  PairDistributions(std::vector<size_t> group_of, size_t groups)
      : group_of(std::move(group_of)), a(groups), b(groups), error(groups) {}

  std::vector<size_t> group_of;
  DistributionSet a;
  DistributionSet b;
  DistributionSet error;  // of b - a, in float64
};

// The sums of each pair, in the order given. Values are compared as f32, or as f64 where an element
// type of either has values that f32 lacks. Reports progress to the scanner. `distributions` may be
// null; elements that are no numbers count for nothing there.
std::vector<ComparisonSums> ComparePairs(Scanner& scanner, const std::vector<ValuePair>& pairs,
                                         PairDistributions* distributions = nullptr);

}  // namespace lbrx
