// Conversion and quantization into a GGUF file.
#pragma once

#include "convert/convert.h"

namespace lbrx {

// As PlanConvert. Codes of a source are carried where GGUF has a type for the same numbers; with
// -q, types are chosen as llama-quantize does (quant/gguf/mix.h).
Plan PlanGguf(const ConvertRequest& request, ModelSource source, const Checkpoint* made);

// As PlanSurvey.
Plan PlanGgufSurvey(const ConvertRequest& request, ModelSource source);

}  // namespace lbrx
