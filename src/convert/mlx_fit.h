// Whether mlx-lm's class for an architecture can hold a variant of it.
#pragma once

#include <string>
#include <vector>

#include "core/text/json.h"
#include "model/naming.h"
#include "stream/plan.h"

namespace lbrx {

// Why mlx-lm will refuse to load a folder of `tensors` and `config`; empty: it loads. The config is
// complete (model/config.h), `naming` the folder's, its architecture known.
std::vector<std::string> MlxRefusals(const Naming& naming, const Json& config,
                                     const std::vector<PlannedTensor>& tensors);

}  // namespace lbrx
