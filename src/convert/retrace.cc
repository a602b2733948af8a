#include "convert/retrace.h"

#include "convert/target.h"

namespace lbrx {
namespace {

bool HasVisibleDType(const Encoding& encoding) {
  return (encoding.scheme == Scheme::kPlain || encoding.scheme == Scheme::kAffine) &&
         Info(encoding.dtype).floating;
}

// The dtype that --dtype must have named: the one in which tensors are where `plan`, made without,
// has another. nullopt: none, or several.
std::optional<DType> AskedDType(const Plan& plan, const Checkpoint& made) {
  std::optional<DType> asked;
  for (const PlannedTensor& planned : plan.tensors) {
    const SourceTensor* tensor = made.Find(planned.output.name);
    if (tensor == nullptr || !HasVisibleDType(tensor->encoding) ||
        !HasVisibleDType(planned.output.encoding)) {
      continue;
    }
    const DType dtype = tensor->encoding.dtype;
    if (dtype == planned.output.encoding.dtype) {
      continue;
    }
    if (asked.value_or(dtype) != dtype) {
      return std::nullopt;
    }
    asked = dtype;
  }
  return asked;
}

}  // namespace

void SetTargetAs(const Checkpoint& made, const std::string& path, ConvertRequest& request) {
  request.destination = path;
  if (made.format == "gguf") {
    request.destination += IsGgufName(path) ? "" : ".gguf";
  } else if (made.format == "safetensors") {
    request.target = TargetKind::kSafetensors;
    request.destination += ".safetensors";
  } else if (made.format == "mlx" || made.format == "huggingface") {
    request.target = made.format == "mlx" ? TargetKind::kMlx : TargetKind::kHuggingFace;
  } else {
    throw Error(ErrorCode::kUsage, {.file = path,
                                    .object = "--against",
                                    .what = "is not of a kind that lbrx writes",
                                    .expected = "huggingface, mlx, gguf or safetensors",
                                    .found = made.format,
                                    .offset = {},
                                    .advice = "`lbrx diff` compares any two models"});
  }
}

Plan Retrace(ConvertRequest& request, const Checkpoint& made,
             const std::function<ModelSource(const ConvertRequest&)>& open) {
  if (!request.dtype) {
    request.dtype = AskedDType(PlanConvert(request, open(request)), made);
  }
  return PlanConvert(request, open(request), &made);
}

}  // namespace lbrx
