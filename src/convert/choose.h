// --target-bpw and --target-size: a scheme for each tensor, so that everything together has a given
// size and the summed squared error is as small as can be.
//
//   survey = RunPlan(PlanSurvey(request, source))   one pass over the data, nothing is written
//   request = ChooseSchemes(request, source, ...)   fills request.choices
//   plan = PlanConvert(request, source)
#pragma once

#include <memory>

#include "convert/convert.h"
#include "stream/engine.h"

namespace lbrx {

// Whether schemes are still to be chosen.
bool NeedsSurvey(const ConvertRequest& request);

// A plan that measures each open tensor under each candidate scheme (PlannedTensor::candidates;
// with the last one it stays as it is).
Plan PlanSurvey(const ConvertRequest& request, ModelSource source);

// The request with what the survey leads to. The limit holds for what PlanConvert then plans: under
// target_size all files, under target_bpw those of tensors, headers and scales included (of a GGUF
// file the tensors alone), against the number of weights. kUsage naming the smallest possible where
// the limit is below it.
ConvertRequest ChooseSchemes(const ConvertRequest& request, const ModelSource& source,
                             const Plan& survey, const RunResult& measured);

}  // namespace lbrx
