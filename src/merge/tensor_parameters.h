// The parameters of a method for one tensor.
#pragma once

#include <string>
#include <vector>

#include "merge/config.h"
#include "merge/method.h"
#include "merge/outline.h"

namespace lbrx {

// Parameters that the method does not have, or that would never be read where they stand, become
// notices, with `strict` kInvalid.
void CheckParameters(const MergeConfig& config, const MergeMethod& method, bool strict,
                     std::vector<std::string>& notices);

// Those of a member, or, where that is null, those of the tensor: as configured, else the method's
// defaults. kInvalid where a required one is missing.
MergeParameters ParametersOf(const MergeConfig& config, const MergeMethod& method,
                             const MergeModels& models, const OutlineTensor& tensor,
                             const OutlineInput* member);

// "weight=0.5 density=0.8", for people and for the plan's hash.
std::string ToString(const MergeParameters& parameters);

}  // namespace lbrx
