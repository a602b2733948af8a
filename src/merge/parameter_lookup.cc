// Which of the places that can set a parameter counts (config.h).
#include <algorithm>
#include <array>

#include "core/base/error.h"
#include "merge/config.h"

namespace lbrx {
namespace {

std::optional<double> ValueIn(const Parameters& parameters, const MergeConfig& config,
                              std::string_view parameter, ParameterType type,
                              std::string_view tensor, double t) {
  const auto found = parameters.find(parameter);
  if (found == parameters.end()) {
    return std::nullopt;
  }
  try {
    return found->second.setting.Evaluate(tensor, t, type);
  } catch (Error& error) {
    error.InFile(config.file);
    throw;
  }
}

}  // namespace

const std::optional<ModelRef>& BaseModel(const MergeConfig& config, const MergeSlice& slice) {
  return slice.base_model ? slice.base_model : config.base_model;
}

std::optional<double> GlobalParameter(const ParameterScope& scope, std::string_view parameter,
                                      ParameterType type, std::string_view tensor, double t) {
  const std::array<const Parameters*, 3> places = {
      &scope.slice->parameters, &scope.module->parameters, &scope.config->parameters};
  for (const Parameters* place : places) {
    if (const auto value = ValueIn(*place, *scope.config, parameter, type, tensor, t)) {
      return value;
    }
  }
  return std::nullopt;
}

std::optional<double> ModelParameter(const ParameterScope& scope, std::string_view parameter,
                                     ParameterType type, const ModelRef& model,
                                     std::string_view tensor, double t) {
  const std::vector<MergeSource>& sources = scope.slice->sources;
  const auto source = std::find_if(sources.begin(), sources.end(),
                                   [&](const MergeSource& one) { return one.model == model; });
  if (source != sources.end()) {
    if (const auto value = ValueIn(source->parameters, *scope.config, parameter, type, tensor, t)) {
      return value;
    }
  }
  return GlobalParameter(scope, parameter, type, tensor, t);
}

}  // namespace lbrx
