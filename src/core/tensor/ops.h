// Elementwise arithmetic and reductions over whole tensors: F64 F32 BF16 F16, any strides.
#pragma once

#include "core/tensor/tensor.h"

namespace lbrx {

// Contiguous results of the operands' shape and dtype, which must be the same for both (kUsage).
// Computed in F32 (F64 for F64), then rounded once to the dtype.
Tensor Add(const Tensor& a, const Tensor& b);
Tensor Multiply(const Tensor& a, const Tensor& b);
Tensor Scale(const Tensor& a, double factor);

// In F64. The order of additions is fixed by the number of elements alone: runs of 256 in row-major
// order from left to right, and their sums as a binary tree.
double Sum(const Tensor& a);
double Dot(const Tensor& a, const Tensor& b);
// NaN where an element is NaN; kUsage without elements.
double Min(const Tensor& a);
double Max(const Tensor& a);

}  // namespace lbrx
