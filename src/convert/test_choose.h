// What tests of --target-bpw and --target-size share.
#pragma once

#include "convert/choose.h"

namespace lbrx {

inline RunResult Measure(const Plan& plan, unsigned threads = 2) {
  RunOptions options;
  options.threads = threads;
  options.no_output = true;
  options.measure = true;
  return RunPlan(plan, options);
}

inline ConvertRequest Chosen(const ConvertRequest& request, const ModelSource& source,
                             unsigned threads = 2) {
  const Plan survey = PlanSurvey(request, source);
  return ChooseSchemes(request, source, survey, Measure(survey, threads));
}

}  // namespace lbrx
