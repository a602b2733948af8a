// Types that a user gives to tensors by name: --tensor-type and --tensor-type-file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/tensor/ggml_types.h"
#include "core/text/regex.h"

namespace lbrx {

// Tensors whose name the pattern matches get `type`.
struct TypeRule {
  Regex pattern;
  const GgmlType* type;
};

// "REGEX=TYPE", split at the last "="; the type's name in any case. kUsage.
TypeRule ParseTypeRule(std::string_view text);

// Rules separated by blanks or newlines, as in a --tensor-type-file. kUsage naming `file` and the
// byte where the rule begins.
std::vector<TypeRule> ParseTypeRules(std::string_view text, const std::string& file);

}  // namespace lbrx
