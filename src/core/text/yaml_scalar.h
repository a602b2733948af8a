// What an unquoted scalar of YAML 1.1 means, by the rules of PyYAML's resolver.
#pragma once

#include <optional>
#include <string_view>

#include "core/text/yaml.h"

namespace lbrx {

// kNull, kBool, kInteger, kFloat, kDate or kString. Where PyYAML departs from YAML 1.1 it decides:
// "y" and "n" are text, and so is "1e-5", which has no dot.
YamlKind ResolvePlainScalar(std::string_view text);

// Of a text that is a kBool.
bool YamlBool(std::string_view text);

// Of a text that is a kInteger (also 0x1F, 0b11, 017, 1_000 and 1:30, which is 90) or a kFloat, to
// the nearest double; infinite where it is too large.
double YamlInteger(std::string_view text);
double YamlFloat(std::string_view text);

// A decimal number as Python's float() takes it from text: blanks around it, underscores between
// digits, "1e-5", "inf" and "nan". None for anything else.
std::optional<double> ParseDecimal(std::string_view text);

}  // namespace lbrx
