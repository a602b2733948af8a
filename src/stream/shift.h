// A constant added to every element, or multiplied with it.
#pragma once

#include <vector>

#include "stream/value.h"

namespace lbrx {

// `value` + `amount`, in `value`'s dtype: formed in f32 and rounded once.
ValuePtr AddedTo(ValuePtr value, float amount);

// `value` (F32) times `factors`: one for all, or one for each part of the first dimension.
ValuePtr ScaledBy(ValuePtr value, std::vector<float> factors);

}  // namespace lbrx
