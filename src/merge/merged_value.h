// A merged tensor as a recipe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "merge/method.h"
#include "stream/value.h"

namespace lbrx {

// `kernel` over the members' values (and the base's, or nullptr), which have one shape and any
// dtypes, in float32; the result is rounded to `dtype` (F32 BF16 F16) once, which costs less here
// than with CastTo. Elements are read tile by tile; where the kernel asks for passes, the threads
// that want to read share them first. `description` tells everything that decides the result but
// the inputs.
ValuePtr MergedValue(std::unique_ptr<MergeKernel> kernel, std::vector<ValuePtr> members,
                     ValuePtr base, std::string description, DType dtype = DType::kF32);

// `value` in float32, to be read from any element on.
ValuePtr AsFloats(ValuePtr value);

}  // namespace lbrx
