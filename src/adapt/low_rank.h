// W + s * L * R as a recipe: what a LoRA adapter makes of a matrix (Hu et al. 2021,
// arXiv:2106.09685), and with lengths for its rows what DoRA makes of it (Liu et al. 2024,
// arXiv:2402.09353).
#pragma once

#include <cstdint>

#include "stream/value.h"

namespace lbrx {

// One of the two matrices of a product of rank r, or a stack of them, one for each expert.
struct LowRankFactor {
  ValuePtr value;
  // Its dimensions: [r, length], else [length, r]; length is that of the side of W which it spans.
  bool rank_first = false;
};

struct LowRankUpdate {
  LowRankFactor left;    // spans the rows of W
  LowRankFactor right;   // spans its columns
  double scale = 1;      // s
  ValuePtr row_lengths;  // DoRA: [rows]; every row of the sum is brought to this length. May be
                         // null
};

// Of shapes that fit `base`, [rows, columns] or [experts, rows, columns] (kInternal otherwise; with
// row lengths it has no experts). The products are summed in float32, by ascending rank; the sum
// times s is added in float32, and rounded to the base's dtype at the end.
ValuePtr AddLowRank(const ValuePtr& base, const LowRankUpdate& update);

}  // namespace lbrx
