// Recipes that move elements about without changing them: views (slice, split, transpose,
// de-interleave) and concatenation (fuse, stack, interleave). Together they express every
// difference of layout between containers of the same model.
#pragma once

#include <vector>

#include "stream/value.h"

namespace lbrx {

// Element (i0, i1, ...) of the result is element `offset` + sum(i_k * strides[k]) of `base` in row
// order. Every element named must exist in `base`; dtypes of whole bytes only (kInternal
// otherwise). Reading is fast where the last stride is 1, and in blocks where it is not (a
// transposition).
ValuePtr ViewOf(ValuePtr base, uint64_t offset, const Shape& shape,
                const std::vector<uint64_t>& strides);

// `value` with the same elements in another shape.
ValuePtr Reshape(ValuePtr value, const Shape& shape);

// Parts of one dtype, equal in all dimensions but `dim`, one after another along it.
ValuePtr Concat(std::vector<ValuePtr> parts, size_t dim);

}  // namespace lbrx
