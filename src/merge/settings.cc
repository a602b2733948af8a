#include "merge/settings.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

[[noreturn]] void Refuse(YamlPosition at, std::string what, std::string found = {}) {
  ErrorDetail detail;
  detail.object = ToString(at);
  detail.what = std::move(what);
  detail.found = std::move(found);
  throw Error(ErrorCode::kInvalid, std::move(detail));
}

bool LetsThrough(const SettingRule& rule, std::string_view tensor) {
  return !rule.filter || *rule.filter == "*" ||
         (!tensor.empty() && tensor.find(*rule.filter) != std::string_view::npos);
}

double Number(const SettingValue& value) {
  if (!value.number) {
    Refuse(value.position, "the parameter needs a number");
  }
  if (!std::isfinite(*value.number)) {
    Refuse(value.position, "the parameter needs a finite number", Format("{}", *value.number));
  }
  return *value.number;
}

double Integer(double value, YamlPosition at) {
  if (std::floor(value) != value) {
    Refuse(at, "the parameter needs a whole number", Format("{}", value));
  }
  return value;
}

double Boolean(const SettingValue& value) {
  if (!value.boolean) {
    Refuse(value.position, "the parameter needs true or false",
           value.number ? Format("{}", *value.number) : "");
  }
  return *value.boolean ? 1.0 : 0.0;
}

// In doubles and in this order of operations, as mergekit has it.
double Interpolate(const std::vector<double>& values, double t) {
  const double scaled = t * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(scaled);
  const size_t above = std::min(values.size() - 1, below + 1);
  const double fraction = scaled - static_cast<double>(below);
  return (1 - fraction) * values[below] + fraction * values[above];
}

}  // namespace

Setting::Setting(double value) : rules_{{std::nullopt, {{value, std::nullopt, {}}}}} {
  if (value == 0 || value == 1) {
    rules_[0].values[0].boolean = value == 1;
  }
}

Setting::Setting(std::vector<SettingRule> rules, YamlPosition position)
    : rules_(std::move(rules)), position_(position) {}

std::optional<double> Setting::Evaluate(std::string_view tensor, double t,
                                        ParameterType type) const {
  const auto rule = std::find_if(rules_.begin(), rules_.end(), [&](const SettingRule& candidate) {
    return LetsThrough(candidate, tensor);
  });
  if (rule == rules_.end() || rule->values.empty()) {
    return std::nullopt;
  }
  std::vector<double> values;
  values.reserve(rule->values.size());
  for (const SettingValue& value : rule->values) {
    values.push_back(type == ParameterType::kBoolean ? Boolean(value) : Number(value));
    if (type == ParameterType::kInteger) {
      Integer(values.back(), value.position);
    }
  }
  switch (type) {
    case ParameterType::kBoolean:
      return values[static_cast<size_t>(t * static_cast<double>(values.size() - 1))];
    case ParameterType::kInteger:
      return Integer(Interpolate(values, t), position_);
    case ParameterType::kNumber:
      break;
  }
  return Interpolate(values, t);
}

}  // namespace lbrx
