// Tensors that a repaired checkpoint lacks.
#pragma once

#include <vector>

#include "check/repair/salvage.h"

namespace lbrx {

// Adds to `lost` what the reference (may be null) has and what the configuration asks for, and
// fills in kinds and sizes where other layers, the reference or the configuration tell them. Lost
// arrays without a name are left out where named ones account for their bytes.
void CompleteLost(const Checkpoint& checkpoint, const Checkpoint* reference,
                  std::vector<Lost>& lost);

}  // namespace lbrx
