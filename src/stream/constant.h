// Values that a plan brings itself.
#pragma once

#include <vector>

#include "stream/value.h"

namespace lbrx {

// A vector of F32.
ValuePtr ConstantOf(std::vector<float> values);

// Whether every element of `value` is finite and the same in `dtype`. Reads all of it, in pieces.
bool IsExactIn(const SourceFiles::Checkpoints& sources, const Value& value, DType dtype);

}  // namespace lbrx
