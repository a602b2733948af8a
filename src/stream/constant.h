// Values that a plan brings itself, and what it must know of values before it is made.
#pragma once

#include <vector>

#include "stream/value.h"

namespace lbrx {

// A vector of F32.
ValuePtr ConstantOf(std::vector<float> values);

// Whether two values of one dtype and shape are finite and have the same bytes. Reads all of them,
// in pieces.
bool AreSame(const SourceFiles::Checkpoints& sources, const Value& a, const Value& b);

// Whether every element of `value` is finite and the same in `dtype`. Reads all of it, in pieces.
bool IsExactIn(const SourceFiles::Checkpoints& sources, const ValuePtr& value, DType dtype);

}  // namespace lbrx
