// What EncodeError is made of, by definition and on vectors.
#pragma once

#include <array>
#include <cstddef>

#include "quant/error.h"

namespace lbrx {

inline constexpr size_t kErrorSums = 16;  // partial sums; every group is a multiple of it
using ErrorLanes = std::array<double, kErrorSums>;

// Element k adds weight * (decoded - value)^2 to sum k % 16. `count` is a multiple of 16; `values`
// are of `dtype`; `weights` may be nullptr: all 1. The difference is one of f32, the rest of f64.
void AddSquaredErrorsReference(DType dtype, const std::byte* values, const float* decoded,
                               const float* weights, size_t count, ErrorLanes& sums);
void AddSquaredErrors(DType dtype, const std::byte* values, const float* decoded,
                      const float* weights, size_t count, ErrorLanes& sums);

// Adds the errors of a run: encodes it to planes, piece by piece, and decodes them.
void AddEncodeErrorsReference(const EncodeJob& job, const ColumnWeights& columns, ErrorLanes& sums);
void AddEncodeErrors(const EncodeJob& job, const ColumnWeights& columns, ErrorLanes& sums);
// The same for affine without search, in one pass and without planes.
void AddAffineErrors(const EncodeJob& job, const ColumnWeights& columns, ErrorLanes& sums);

}  // namespace lbrx
