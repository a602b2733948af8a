// Values that take the place of lost ones, and the tensors of the output.
#pragma once

#include <memory>
#include <vector>

#include "check/repair/repair.h"

namespace lbrx {

// Elements that are all zero.
ValuePtr Zeros(DType dtype, const Shape& shape);

// The output's tensors: everything that `plan.sources[0]` has, copied, and of `lost` what can be
// filled (which is marked there). Planes of a quantized matrix one of which was filled are filled
// all.
std::vector<PlannedTensor> PlanTensors(const Plan& plan, RepairRequest::Fill fill,
                                       std::vector<Lost>& lost);

}  // namespace lbrx
