// The small files beside the tensors: those that are sound, mended ones, and those of a reference.
#pragma once

#include <vector>

#include "check/repair/salvage.h"
#include "stream/plan.h"

namespace lbrx {

// Adds to plan.copies and plan.texts. A tokenizer that is incomplete is no tokenizer: it is taken
// from the reference (may be null) or lost, never mended by leaving parts out.
void RepairSideFiles(const std::vector<SideFile>& files, const Checkpoint* reference, Plan& plan,
                     std::vector<Mended>& mended, std::vector<Lost>& lost);

}  // namespace lbrx
