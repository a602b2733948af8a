// The plan of a conversion made again from what it wrote, which does not say how it was made.
#pragma once

#include <functional>

#include "convert/convert.h"

namespace lbrx {

// Sets destination and target of `request` to the kind that `made`, opened from `path`, is of.
// kUsage where nothing writes such.
void SetTargetAs(const Checkpoint& made, const std::string& path, ConvertRequest& request);

// The plan that writes `made`, which `request` (with target and destination) says all about that
// cannot be seen in it. What can be seen is taken from there: each tensor's scheme, unless the
// request asks for schemes, and --dtype. `open` gives the source that a request names; it is called
// again where another dtype changes it. Throws as PlanConvert; `request` gets the dtype.
Plan Retrace(ConvertRequest& request, const Checkpoint& made,
             const std::function<ModelSource(const ConvertRequest&)>& open);

}  // namespace lbrx
