// Where the tensors of a plan go.
#pragma once

#include <functional>
#include <vector>

#include "stream/plan.h"

namespace lbrx {

// Sets plan.layout: `lay_out` is given the outputs of all tensors, in their order, and fills in
// where their planes go.
void LayOutPlan(Plan& plan,
                const std::function<OutputLayout(std::vector<OutputTensor>& outputs)>& lay_out);

}  // namespace lbrx
