// The value of a merge parameter, which may depend on the tensor: a number, a gradient over the
// layers, or a list of such with filters on the tensor's name.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/yaml.h"

namespace lbrx {

// What a method takes a parameter for. Values are doubles all the same: booleans are 0 and 1.
enum class ParameterType : uint8_t {
  kNumber,
  kInteger,  // every value and what is between them at a layer must be integral
  kBoolean,  // every value must be a boolean, 0 or 1; gradients step instead of interpolating
};

// A scalar of a setting, of which the type is known only to the method that reads it.
struct SettingValue {
  std::optional<double> number;  // also of booleans, and of text such as "1e-5"
  std::optional<bool> boolean;   // also of 0 and 1, and of text such as "yes"
  YamlPosition position;
};

// Numbers along the layers of a slice for the tensors that the filter lets through.
struct SettingRule {
  std::optional<std::string> filter;  // none or "*": every tensor; else a part of its name
  std::vector<SettingValue> values;   // one: the same everywhere
};

class Setting {
 public:
  // The same everywhere.
  explicit Setting(double value);
  Setting(std::vector<SettingRule> rules, YamlPosition position);

  // The value for a tensor at position `t` of its slice, 0 to 1: of the first rule whose filter
  // lets it through, interpolated between the two values next to t * (values - 1). None where no
  // rule does, or that rule has no values. Throws kInvalid with the position (no file) where a
  // value that is needed is not of the type, or not finite.
  std::optional<double> Evaluate(std::string_view tensor, double t,
                                 ParameterType type = ParameterType::kNumber) const;

  // Where the value stands in the file; 0, 0 for the first constructor.
  YamlPosition position() const { return position_; }

 private:
  std::vector<SettingRule> rules_;
  YamlPosition position_;
};

struct Parameter {
  Setting setting;
  YamlPosition key;  // where its name stands
};

using Parameters = std::map<std::string, Parameter, std::less<>>;

}  // namespace lbrx
