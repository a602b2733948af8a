// Conversion and quantization into a GGUF file.
#pragma once

#include <memory>

#include "convert/convert.h"

namespace lbrx {

// As PlanConvert. Codes of a source are carried where GGUF has a type for the same numbers; with
// -q, types are chosen as llama-quantize does (quant/gguf/mix.h).
Plan PlanGguf(const ConvertRequest& request, std::shared_ptr<const Checkpoint> source);

// As PlanSurvey.
Plan PlanGgufSurvey(const ConvertRequest& request, std::shared_ptr<const Checkpoint> source);

}  // namespace lbrx
