// Comparing tensors in pairs, all bands of all pairs side by side.
#pragma once

#include <vector>

#include "check/compare.h"
#include "check/scan.h"

namespace lbrx {

// Two tensors of the same shape, as loaded by a scanner.
struct ValuePair {
  ValuePtr a;
  ValuePtr b;
};

// The sums of each pair, in the order given. Values are compared as f32, or as f64 where an element
// type of either has values that f32 lacks. Reports progress to the scanner.
std::vector<ComparisonSums> ComparePairs(Scanner& scanner, const std::vector<ValuePair>& pairs);

}  // namespace lbrx
