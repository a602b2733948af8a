// What a conversion writes beside tensors, against what is there.
#pragma once

#include <vector>

#include "formats/checkpoint.h"
#include "stream/plan.h"

namespace lbrx {

// What is not as `plan`, made for `made`, would write it, as warnings: members of config.json or
// keys of the GGUF header, and small files but the model card. Where the plan's schemes are taken
// from `made`, `with_schemes` is false, and what tells of them is left out. Reads small files in
// little memory.
std::vector<Problem> CompareDescription(const Plan& plan, const Checkpoint& made,
                                        bool with_schemes);

}  // namespace lbrx
