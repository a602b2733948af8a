// A choice for each of many tensors, under a limit of bytes for all of them together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace lbrx {

// One way to store a tensor.
struct Choosable {
  uint64_t bytes = 0;
  double error = 0;  // finite, not negative
};

// For each tensor the index of the way to take, so that the bytes of all are at most `budget` and
// the sum of the errors is small: a multiple-choice knapsack. First the steps of the tensors' lower
// convex hulls are taken by falling gain a byte, which is the best possible where the budget ends
// between two steps (Lagrange; Everett 1963); what is left over then goes to single changes and
// exchanges between two tensors as long as one lessens the error. Depends on nothing but the
// arguments. nullopt where even the smallest ways do not fit. Each tensor has at least one way.
std::optional<std::vector<size_t>> Allocate(const std::vector<std::vector<Choosable>>& tensors,
                                            uint64_t budget);

}  // namespace lbrx
