// How far apart the softmax distributions of two rows are.
#pragma once

#include <cstddef>

#include "merge/method.h"

namespace lbrx {

// sum p ln(p / q), p = softmax(x) + 1e-8, q of b likewise: in float64, not below 0, and once
// rounded to float32; or with each operation rounded.
float RowDivergence(const float* x, const float* b, size_t count, MergeRounding rounding);

}  // namespace lbrx
