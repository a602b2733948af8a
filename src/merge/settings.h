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
  kInteger,  // the value at each position must be integral
  kBoolean,  // every value must be a boolean, 0 or 1; gradients step instead of interpolating
};

class Setting {
 public:
  // The same everywhere.
  explicit Setting(double value);

  // Accepts what mergekit accepts: a scalar (number, boolean, or text), a list of scalars, a list
  // of {value, filter} and a bare {value, filter}. Text stays until it is evaluated, since a
  // setting that no method reads is no fault. Throws kInvalid with the position but no file; keys
  // beside value and filter are added to `unknown`. Linear in the size of `node`.
  static Setting Parse(const YamlNode& node, std::vector<YamlNode>* unknown);

  // The value for a tensor at position `t` of its slice, 0 to 1. The first rule counts whose filter
  // is absent, "*" or part of the name; none where no rule applies or the list is empty. Throws
  // kInvalid with the position (no file) where a value is not of the type, or not finite.
  std::optional<double> Evaluate(std::string_view tensor, double t,
                                 ParameterType type = ParameterType::kNumber) const;

  // Where the value stands in the file; 0, 0 for the other constructor.
  YamlPosition position() const { return position_; }

 private:
  struct Value {
    double number;    // NaN where the text is none
    int8_t boolean;   // 0, 1; -1 where it is none
    bool integral;    // and exact
    YamlPosition at;  // for messages
  };

  struct Rule {
    std::optional<std::string> filter;
    uint32_t first;  // into values_
    uint32_t count;
  };

  Setting() = default;

  static Value ParseValue(const YamlNode& node);
  void AddRule(std::optional<std::string> filter, const YamlNode& value);
  Rule ParseRule(const YamlNode& node, std::vector<YamlNode>* unknown);

  YamlPosition position_;
  std::vector<Rule> rules_;
  std::vector<Value> values_;
};

struct Parameter {
  Setting setting;
  YamlPosition key;  // where its name stands
};

using Parameters = std::map<std::string, Parameter, std::less<>>;

}  // namespace lbrx
