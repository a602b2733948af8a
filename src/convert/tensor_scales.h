// Scales that GGUF files hold beside whole tensors: NVFP4's second level.
#pragma once

#include <vector>

#include "stream/layout.h"
#include "stream/plan.h"

namespace lbrx {

// Multiplies the scales called NAME.scale into the tensors NAME.weight, whose codes are given up
// where a scale is not 1, and leaves out the scales, and those of activations (NAME.input_scale),
// which is told in the plan's notices. kInvalid for scales that do not fit their tensor.
void ApplyTensorScales(Plan& plan, std::vector<NamedValue>& tensors);

}  // namespace lbrx
