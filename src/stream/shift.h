// A constant added to every element.
#pragma once

#include "stream/value.h"

namespace lbrx {

// `value` + `amount`, in `value`'s dtype: formed in f32 and rounded once.
ValuePtr AddedTo(ValuePtr value, float amount);

}  // namespace lbrx
