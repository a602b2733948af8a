// A merged tensor as a recipe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "merge/method.h"
#include "stream/value.h"

namespace lbrx {

// `kernel` over the members' values (and the base's), which have one shape, in float32. Elements
// are read tile by tile; where the kernel asks for passes, the threads that want to read share
// them first. `description` tells everything that decides the result but the inputs.
ValuePtr MergedValue(std::unique_ptr<MergeKernel> kernel, std::vector<ValuePtr> members,
                     ValuePtr base, std::string description);

}  // namespace lbrx
