// Repair of GGUF files and sets.
#pragma once

#include <memory>

#include "check/repair/repair.h"

namespace lbrx {

// Whether a path is for PlanGgufRepair.
bool IsGgufSource(const std::string& path);

// As PlanRepair. Of a set all parts beside `request.source` are read; one file is written. Keys are
// part 1's, or the reference's where that part is lost.
Repair PlanGgufRepair(const RepairRequest& request, std::shared_ptr<const Checkpoint> reference);

}  // namespace lbrx
