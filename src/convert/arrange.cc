#include "convert/arrange.h"

#include <algorithm>

#include "convert/gguf_file.h"
#include "convert/target.h"
#include "convert/tensor_scales.h"
#include "core/base/format.h"
#include "model/gguf_names.h"
#include "stream/constant.h"
#include "stream/gguf_layout.h"

namespace lbrx {

ModelSource SourceOf(std::shared_ptr<const Checkpoint> stored) {
  ModelSource source;
  source.files = {stored};
  source.tensors = AsStored(source.files, 0);
  source.model = std::move(stored);
  return source;
}

Arrangement::Arrangement(const ConvertRequest& request, ModelSource source, TargetKind target,
                         Plan& plan)
    : request_(request), source_(std::move(source)), target_(target) {
  plan.command = request.command;
  plan.request = request.ToJson();
  plan.sources = source_.files;
  facts_ = CheckSource(*source_.model, target_, request.strict, plan.notices);
  if (request.text_only) {
    CheckTextOnly(facts_, plan.notices);
  }
  RefuseOthers();
  naming_ = NamingInTarget(request, target_, facts_);
  types_.emplace(request_, source_, target_, naming_);
}

// Whether another container's model becomes a GGUF file.
bool Arrangement::IsIntoGguf() const {
  return target_ == TargetKind::kGguf && source_.model->gguf == nullptr;
}

void Arrangement::RefuseOthers() const {
  if (IsIntoGguf() && facts_.naming.wrapper != nullptr && !request_.text_only) {
    throw Error(ErrorCode::kUsage,
                Format("{}: {} has parts beside its text model, which belong into a projector file "
                       "(mmproj) that cannot be written; --text-only writes the text model",
                       source_.model->path, facts_.naming.wrapper->name));
  }
}

std::vector<NamedValue> Arrangement::Tensors(Plan& plan) const {
  NoteUnknownTensors(plan);
  std::vector<NamedValue> tensors = source_.tensors;
  if (request_.text_only) {
    std::erase_if(tensors,
                  [&](const NamedValue& tensor) { return facts_.naming.IsOther(tensor.name); });
  }
  if (source_.model->gguf != nullptr && target_ != TargetKind::kGguf) {
    ApplyTensorScales(plan, tensors);
  }
  size_t beyond = 0;
  std::erase_if(tensors, [&](const NamedValue& tensor) { return IsDropped(tensor.name, beyond); });
  if (beyond > 0) {
    plan.notices.push_back(
        Format("{} tensors of {} prediction layers beyond the last are left out, as {} has no "
               "place for them",
               beyond, facts_.prediction_layers, target_ == TargetKind::kMlx ? "MLX" : "GGUF"));
  }
  const Json& config = TextConfig(source_.model->config);
  tensors = Rearrange(facts_.naming, naming_, config, std::move(tensors));
  if (IsIntoGguf()) {
    NoteLostBits(plan);
    for (NamedValue& tensor : RotaryTensors(facts_, config)) {
      tensors.push_back(std::move(tensor));
    }
  }
  return tensors;
}

// What the target has no place for. `beyond` counts those of layers beyond the last.
bool Arrangement::IsDropped(const std::string& name, size_t& beyond) const {
  if (source_.model->gguf != nullptr && IsRotaryTensor(name)) {
    return target_ != TargetKind::kGguf;
  }
  if (target_ != TargetKind::kMlx && !IsIntoGguf()) {
    return false;
  }
  const TensorMeaning meaning = facts_.naming.Resolve(name);
  if (meaning.rule == nullptr) {
    return false;
  }
  if (meaning.layer && *meaning.layer >= facts_.layers) {
    ++beyond;
    return true;
  }
  const Role role = meaning.rule->role;
  return role == Role::kRopeFrequencies || role == Role::kAttentionMask ||
         (role == Role::kOutput && facts_.tied);
}

void Arrangement::NoteUnknownTensors(Plan& plan) const {
  if (facts_.naming.architecture == nullptr) {
    return;
  }
  std::vector<std::string> unknown;
  for (const SourceTensor& tensor : source_.model->tensors) {
    if (!facts_.naming.IsOther(tensor.name) && facts_.naming.Resolve(tensor.name).rule == nullptr &&
        !IsRotaryTensor(tensor.name)) {
      unknown.push_back(tensor.name);
    }
  }
  if (unknown.empty()) {
    return;
  }
  const std::string_view architecture = facts_.naming.architecture->name;
  if (request_.strict || IsIntoGguf()) {
    throw Error(
        ErrorCode::kInvalid,
        {.file = source_.model->path,
         .object = unknown[0],
         .what =
             Format("{} tensors are not known to architecture {}", unknown.size(), architecture),
         .expected = IsIntoGguf() ? "names that GGUF has too" : "known names only (--strict)",
         .found = "this one first",
         .offset = {},
         .advice = IsIntoGguf() ? "" : "leave out --strict to carry them as they are"});
  }
  plan.notices.push_back(
      Format("{} tensors that architecture {} does not know are carried as they are, {} first",
             unknown.size(), architecture, Printable(unknown[0])));
}

// Of norms to which GGUF has 1 added: values near 0 lose bits by that.
void Arrangement::NoteLostBits(Plan& plan) const {
  std::string names;
  size_t count = 0;
  for (const NamedValue& tensor : source_.tensors) {
    const TensorMeaning meaning = facts_.naming.Resolve(tensor.name);
    if (meaning.rule == nullptr || !IsRaisedInGguf(*facts_.naming.architecture, meaning)) {
      continue;
    }
    const ValuePtr stored = CastTo(RaisedInGguf(tensor.value), DType::kF32);
    if (!AreSame(plan.sources, *CastTo(tensor.value, DType::kF32), *LoweredFromGguf(stored))) {
      names += (count++ == 0 ? "" : ", ") + tensor.name;
    }
  }
  if (count > 0) {
    plan.notices.push_back(
        Format("GGUF has 1 added to norms, and {} lose the last bits of small "
               "values by that: {}",
               count, names));
  }
}

PlannedTensor BeginTensor(const NamedValue& tensor, const Encoding& encoding) {
  PlannedTensor planned;
  planned.output = OutputTensor(tensor.name, encoding, tensor.value->shape());
  planned.source_label = tensor.label;
  return planned;
}

PlannedTensor FloatTensor(const NamedValue& tensor, DType dtype) {
  PlannedTensor planned = BeginTensor(tensor, Plain(dtype));
  planned.value = CastTo(tensor.value, dtype);
  return planned;
}

void RefuseEmpty(const Plan& plan, const Checkpoint& source) {
  if (plan.tensors.empty()) {
    throw Error(ErrorCode::kInvalid, {.file = source.path,
                                      .object = "",
                                      .what = "has no tensors",
                                      .expected = "at least one",
                                      .found = "0",
                                      .offset = {},
                                      .advice = "nothing was written"});
  }
}

}  // namespace lbrx
