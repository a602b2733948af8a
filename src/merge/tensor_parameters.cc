#include "merge/tensor_parameters.h"

#include <algorithm>

#include "core/base/format.h"
#include "core/text/suggest.h"

namespace lbrx {
namespace {

ParameterType TypeOf(MergeParameterInfo::Kind kind) {
  switch (kind) {
    case MergeParameterInfo::Kind::kInteger:
      return ParameterType::kInteger;
    case MergeParameterInfo::Kind::kBoolean:
      return ParameterType::kBoolean;
    default:
      return ParameterType::kNumber;
  }
}

const MergeParameterInfo* FindParameter(const MergeMethod& method, std::string_view name) {
  const auto found =
      std::find_if(method.parameters.begin(), method.parameters.end(),
                   [&](const MergeParameterInfo& info) { return info.name == name; });
  return found == method.parameters.end() ? nullptr : &*found;
}

std::string UnknownParameter(const MergeMethod& method, const std::string& name) {
  std::vector<std::string> known;
  std::string list;
  for (const MergeParameterInfo& info : method.parameters) {
    known.emplace_back(info.name);
    list += Format("{}{}", list.empty() ? "it has " : ", ", info.name);
  }
  return Format("{} has no parameter \"{}\"; {}", method.name, Printable(name),
                Suggestion(name, known, list.empty() ? "it has none" : list));
}

}  // namespace

void CheckParameters(const MergeConfig& config, const MergeMethod& method, bool strict,
                     std::vector<std::string>& notices) {
  const auto tell = [&](const Parameter& parameter, const std::string& what) {
    const std::string text = Format("{}: line {}, column {}: {}", config.file, parameter.key.line,
                                    parameter.key.column, what);
    if (strict) {
      throw Error(ErrorCode::kInvalid, text + "; leave out --strict to ignore it");
    }
    notices.push_back(text);
  };
  const auto check = [&](const Parameters& parameters, bool of_source) {
    for (const auto& [name, parameter] : parameters) {
      const MergeParameterInfo* info = FindParameter(method, name);
      if (info == nullptr) {
        tell(parameter, UnknownParameter(method, name));
      } else if (of_source && !info->of_member) {
        tell(parameter, Format("{} is one for all models: it is not read under one of them; set "
                               "it under parameters of the slice or the file",
                               name));
      }
    }
  };
  check(config.parameters, false);
  for (const MergeModule& module : config.modules) {
    check(module.parameters, false);
    for (const MergeSlice& slice : module.slices) {
      check(slice.parameters, false);
      for (const MergeSource& source : slice.sources) {
        check(source.parameters, true);
      }
    }
  }
}

MergeParameters ParametersOf(const MergeConfig& config, const MergeMethod& method,
                             const MergeModels& models, const OutlineTensor& tensor,
                             const OutlineInput* member) {
  const ParameterScope scope{.config = &config, .module = tensor.module, .slice = tensor.slice};
  MergeParameters out;
  for (const MergeParameterInfo& info : method.parameters) {
    if (info.of_member != (member != nullptr)) {
      continue;
    }
    std::optional<double> value;
    if (member != nullptr) {
      const ModelRef* ref = nullptr;
      for (const MergeSource& source : tensor.slice->sources) {
        if (models.IndexOf(source.model) == member->model) {
          ref = &source.model;
          break;
        }
      }
      value =
          ModelParameter(scope, info.name, TypeOf(info.kind), *ref, member->tensor->name, tensor.t);
    } else {
      value = GlobalParameter(scope, info.name, TypeOf(info.kind), tensor.name, tensor.t);
    }
    if (!value && info.required) {
      throw Error(ErrorCode::kInvalid,
                  {.file = config.file,
                   .object = tensor.name,
                   .what = Format("{} needs the parameter {}{}", method.name, info.name,
                                  member == nullptr ? "" : " for " + models[member->model].label),
                   .expected = std::string(info.summary),
                   .found = "nothing",
                   .offset = {},
                   .advice = member == nullptr ? "set it under parameters"
                                               : "set it under the model's parameters, or for all "
                                                 "under parameters"});
    }
    out.Set(info.name, value.value_or(info.standard));
  }
  return out;
}

std::string ToString(const MergeParameters& parameters) {
  std::string out;
  for (const auto& [name, value] : parameters.all()) {
    out += Format("{}{}={}", out.empty() ? "" : " ", name, value);
  }
  return out;
}

}  // namespace lbrx
