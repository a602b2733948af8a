#include "merge/tensor_plan.h"

#include <algorithm>

#include "core/base/format.h"
#include "merge/merged_value.h"
#include "merge/tensor_parameters.h"
#include "merge/tokenizer/aligned_rows.h"

namespace lbrx {
namespace {

// MergedValue rounds to the usual types by itself, which costs less.
ValuePtr MergedIn(DType dtype, std::unique_ptr<MergeKernel> kernel, const TensorInputs& inputs,
                  std::string description) {
  const bool usual = dtype == DType::kF32 || dtype == DType::kBF16 || dtype == DType::kF16;
  return CastTo(MergedValue(std::move(kernel), inputs.values, inputs.base_value,
                            std::move(description), usual ? dtype : DType::kF32),
                dtype);
}

bool IsFloat(const OutlineInput& input) {
  return Info(input.tensor->value->dtype()).floating;
}

DType Promoted(DType a, DType b) {
  if (a == b) {
    return a;
  }
  return a == DType::kF64 || b == DType::kF64 ? DType::kF64 : DType::kF32;
}

MergeRounding RoundingIn(DType dtype) {
  return dtype == DType::kBF16  ? MergeRounding::kBF16
         : dtype == DType::kF16 ? MergeRounding::kF16
                                : MergeRounding::kNone;
}

}  // namespace

bool IsLeftOutByPeer(const MergeModels& models, const OutlineTensor& tensor) {
  const Naming& naming = models[tensor.inputs.front().model].naming;
  if (!tensor.known || naming.architecture == nullptr) {
    return !tensor.known;
  }
  const std::string& name = tensor.inputs.front().tensor->name;
  const TensorMeaning meaning = naming.Resolve(name);
  const std::string_view architecture = naming.architecture->name;
  return (meaning.leaf == "bias" && (architecture == "llama" || architecture == "mistral")) ||
         (architecture == "olmo2" && meaning.rule != nullptr &&
          (meaning.rule->role == Role::kQueryNorm || meaning.rule->role == Role::kKeyNorm));
}

TensorPlanner::TensorPlanner(const MergeConfig& config, const MergeModels& models,
                             const MergeRequest& request,
                             std::shared_ptr<const OutputVocabulary> vocabulary,
                             std::vector<std::string>& notices)
    : config_(config),
      models_(models),
      request_(request),
      method_(FindMergeMethod(config.method)),
      vocabulary_(std::move(vocabulary)),
      fitter_(models, method_) {
  CheckParameters(config_, method_, request_.strict, notices);
  RequireWeightType("dtype", config_.dtype);
  RequireWeightType("out_dtype", config_.out_dtype);
}

// Arithmetic is in float32, so what is wider would promise too much.
void TensorPlanner::RequireWeightType(const char* key, std::optional<DType> dtype) const {
  if (dtype && *dtype != DType::kF32 && *dtype != DType::kBF16 && *dtype != DType::kF16) {
    throw Error(ErrorCode::kInvalid, {.file = config_.file,
                                      .object = key,
                                      .what = "a merge cannot be in this type",
                                      .expected = "float32, bfloat16 or float16",
                                      .found = std::string(Info(*dtype).long_name),
                                      .offset = {},
                                      .advice = ""});
  }
}

NamedValue TensorPlanner::Plan(const OutlineTensor& tensor, uint64_t& stream_position) {
  TensorInputs inputs = Split(tensor);
  Align(tensor, inputs);
  if (const OutlineInput* alone = AsItIs(tensor, inputs)) {
    if (!tensor.known) {
      carried_.push_back(tensor.name);
    }
    return Carry(tensor, *alone, inputs);
  }
  if (!fitter_.Fit(tensor, inputs)) {
    return Carry(tensor, Donor(tensor), inputs);  // RequireSameShapes will refuse it
  }
  if (inputs.members.empty()) {
    return Carry(tensor, *inputs.base, inputs);
  }
  const DType working = WorkingType(inputs);
  if (request_.compat && inputs.base) {
    for (ValuePtr& value : inputs.values) {
      value = CastTo(value, working);
    }
  }
  MergeTensor described = Describe(tensor, inputs);
  described.rounding = request_.compat ? RoundingIn(working) : MergeRounding::kNone;
  described.stream_position = stream_position;
  if (request_.compat && method_.draws != nullptr) {
    stream_position += method_.draws(described);
  }
  std::string text =
      Format("{} {} seed={} compat={} at={}", method_.name, ToString(described.parameters),
             described.seed, described.compat, described.stream_position);
  std::string label(method_.name);
  for (size_t i = 0; i < inputs.members.size(); ++i) {
    const std::string parameters = ToString(described.members[i]);
    text += Format(" [{}]", parameters);
    label += Format("{} {}{}{}", i == 0 ? ":" : ",", models_[inputs.members[i].model].label,
                    parameters.empty() ? "" : " ", parameters);
  }
  label += described.parameters.all().empty() ? "" : "; " + ToString(described.parameters);
  MergeParts parts{.name = tensor.name,
                   .labels = {},
                   .members = inputs.values,
                   .base = inputs.base_value,
                   .merged = nullptr};
  for (const OutlineInput& member : inputs.members) {
    parts.labels.push_back(models_[member.model].label);
  }
  const bool widened = request_.compat && method_.widens;
  const DType dtype = config_.out_dtype.value_or(widened ? DType::kF32 : working);
  ValuePtr merged = MergedIn(dtype, method_.make(described), inputs, std::move(text));
  parts.merged = merged;
  parts_.push_back(std::move(parts));
  return {.name = tensor.name,
          .value = std::move(merged),
          .stored = nullptr,
          .label = std::move(label)};
}

// Base and members as the method has them.
TensorInputs TensorPlanner::Split(const OutlineTensor& tensor) const {
  const std::optional<ModelRef>& base = BaseModel(config_, *tensor.slice);
  if (method_.base == BaseRole::kRequired && !base) {
    throw Error(ErrorCode::kInvalid,
                {.file = config_.file,
                 .object = "base_model",
                 .what = "is missing",
                 .expected = Format("the model that {} starts from", method_.name),
                 .found = "nothing",
                 .offset = {},
                 .advice = "add base_model: MODEL"});
  }
  TensorInputs inputs;
  for (const OutlineInput& input : tensor.inputs) {
    const bool is_base =
        method_.base != BaseRole::kNone && base && models_.IndexOf(*base) == input.model;
    if (is_base) {
      inputs.base = input;
      inputs.base_value = Load(input);
    } else {
      inputs.members.push_back(input);
      inputs.values.push_back(Load(input));
    }
  }
  return inputs;
}

// The base's tensor, or the first there is.
const OutlineInput& TensorPlanner::Donor(const OutlineTensor& tensor) const {
  const std::optional<ModelRef>& base = BaseModel(config_, *tensor.slice);
  for (const OutlineInput& input : tensor.inputs) {
    if (base && models_.IndexOf(*base) == input.model) {
      return input;
    }
  }
  return tensor.inputs.front();
}

bool TensorPlanner::HasStandardParameters(const OutlineTensor& tensor,
                                          const OutlineInput& member) const {
  const MergeParameters parameters = ParametersOf(config_, method_, models_, tensor, &member);
  return std::all_of(method_.parameters.begin(), method_.parameters.end(),
                     [&](const MergeParameterInfo& info) {
                       return !info.of_member || parameters.Get(info.name) == info.standard;
                     });
}

// The input that the output's tensor is, where nothing is to be computed.
const OutlineInput* TensorPlanner::AsItIs(const OutlineTensor& tensor,
                                          const TensorInputs& inputs) const {
  if (!tensor.known || !IsFloat(tensor.inputs.front())) {
    return &Donor(tensor);
  }
  const size_t sources = tensor.slice->sources.size();
  if (method_.base == BaseRole::kRequired && !inputs.base) {
    if (tensor.inputs.size() == 1 && method_.lone == LoneTensor::kAsItIs) {
      return &tensor.inputs.front();
    }
    throw Error(ErrorCode::kInvalid,
                {.file = models_.Get(*BaseModel(config_, *tensor.slice)).label,
                 .object = tensor.name,
                 .what = "is missing in the base model",
                 .expected = Format("a tensor that {} has", models_[tensor.inputs[0].model].label),
                 .found = "none",
                 .offset = {},
                 .advice = ""});
  }
  if (inputs.members.empty()) {
    return &Donor(tensor);
  }
  if (inputs.members.size() < method_.least_members) {
    if (tensor.inputs.size() < sources && method_.lone == LoneTensor::kAsItIs) {
      return &Donor(tensor);
    }
    if (tensor.inputs.size() == sources || method_.lone == LoneTensor::kError) {
      throw Error(ErrorCode::kInvalid, {.file = config_.file,
                                        .object = tensor.name,
                                        .what = Format("{} has too few models here", method_.name),
                                        .expected = Format("at least {}{}", method_.least_members,
                                                           inputs.base ? " beside the base" : ""),
                                        .found = std::to_string(inputs.members.size()),
                                        .offset = {},
                                        .advice = ""});
    }
  }
  if (inputs.members.size() > method_.most_members) {
    throw Error(ErrorCode::kInvalid, {.file = config_.file,
                                      .object = tensor.name,
                                      .what = Format("{} has too many models here", method_.name),
                                      .expected = Format("at most {}{}", method_.most_members,
                                                         inputs.base ? " beside the base" : ""),
                                      .found = std::to_string(inputs.members.size()),
                                      .offset = {},
                                      .advice = ""});
  }
  return method_.carries && HasStandardParameters(tensor, inputs.members[0])
             ? &tensor.inputs.front()
             : nullptr;
}

MergeTensor TensorPlanner::Describe(const OutlineTensor& tensor, const TensorInputs& inputs) const {
  MergeTensor out;
  out.name = tensor.name;
  out.shape = inputs.values.front()->shape();
  out.parameters = ParametersOf(config_, method_, models_, tensor, nullptr);
  for (const OutlineInput& member : inputs.members) {
    out.members.push_back(ParametersOf(config_, method_, models_, tensor, &member));
  }
  out.has_base = inputs.base.has_value();
  out.seed = request_.seed;
  out.compat = request_.compat;
  return out;
}

// Brings matrices with a row for each token to the vocabulary of the result.
void TensorPlanner::Align(const OutlineTensor& tensor, TensorInputs& inputs) const {
  const ValuePtr& first = inputs.base ? inputs.base_value : inputs.values.front();
  if (vocabulary_ == nullptr ||
      !IsOfVocabulary(models_[tensor.inputs[0].model], tensor.name, first->shape())) {
    return;
  }
  const DType working = WorkingType(inputs);
  std::vector<ValuePtr> matrices(models_.size());
  for (size_t i = 0; i < inputs.members.size(); ++i) {
    matrices[inputs.members[i].model] = CastTo(inputs.values[i], working);
  }
  if (inputs.base) {
    matrices[inputs.base->model] = inputs.base_value;
  }
  const std::optional<ModelRef>& base = BaseModel(config_, *tensor.slice);
  const std::optional<uint32_t> place =
      base ? std::optional(static_cast<uint32_t>(models_.IndexOf(*base))) : std::nullopt;
  const std::vector<ValuePtr> aligned = AlignRows(vocabulary_, std::move(matrices), place);
  for (size_t i = 0; i < inputs.members.size(); ++i) {
    inputs.values[i] = aligned[inputs.members[i].model];
  }
  if (inputs.base) {
    inputs.base_value = aligned[inputs.base->model];
  }
}

ValuePtr TensorPlanner::Load(const OutlineInput& input) const {
  const ValuePtr& value = input.tensor->value;
  if (!config_.dtype || !IsFloat(input)) {
    return value;
  }
  return CastTo(value, *config_.dtype);
}

// The dtype that mergekit computes in, and that the result has where nothing else is asked for.
DType TensorPlanner::WorkingType(const TensorInputs& inputs) const {
  if (inputs.base) {
    return inputs.base_value->dtype();
  }
  DType dtype = inputs.values.front()->dtype();
  for (const ValuePtr& value : inputs.values) {
    dtype = Promoted(dtype, value->dtype());
  }
  return dtype;
}

NamedValue TensorPlanner::Carry(const OutlineTensor& tensor, const OutlineInput& input,
                                const TensorInputs& inputs) const {
  NamedValue out = *input.tensor;
  out.name = tensor.name;
  out.stored = nullptr;
  out.label = models_[input.model].label;
  if (!IsFloat(input)) {
    return out;
  }
  const ValuePtr value = inputs.Find(input.model);
  const ValuePtr cast = config_.out_dtype ? CastTo(value, *config_.out_dtype) : value;
  if (cast != input.tensor->value) {
    out.value = cast;
    out.planes.clear();
    out.encoded = false;
  }
  return out;
}

void TensorPlanner::Note(std::vector<std::string>& notices) const {
  if (!carried_.empty()) {
    notices.push_back(
        Format("{} tensors that the architecture does not know are carried from the base: {}",
               carried_.size(), Listed(carried_, ", ")));
  }
  fitter_.Note(notices);
}

}  // namespace lbrx
