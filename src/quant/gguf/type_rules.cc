#include "quant/gguf/type_rules.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/text/suggest.h"

namespace lbrx {
namespace {

[[noreturn]] void Refuse(std::string_view rule, std::string what, std::string advice) {
  throw Error(ErrorCode::kUsage, {.file = "",
                                  .object = std::string(rule),
                                  .what = std::move(what),
                                  .expected = "REGEX=TYPE",
                                  .found = "",
                                  .offset = {},
                                  .advice = std::move(advice)});
}

}  // namespace

TypeRule ParseTypeRule(std::string_view text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == text.size()) {
    Refuse(text, "not a rule for types of tensors", "for example 'ffn_down=q6_K'");
  }
  const std::string_view name = text.substr(equals + 1);
  const GgmlType* const type = FindGgmlType(name);
  if (type == nullptr) {
    std::vector<std::string> names;
    names.reserve(GgmlTypes().size());
    for (const GgmlType& known : GgmlTypes()) {
      names.emplace_back(known.name);
    }
    Refuse(text, "there is no such type", Suggestion(name, names, "types are called Q6_K or F16"));
  }
  return {Regex(std::string(text.substr(0, equals))), type};
}

std::vector<TypeRule> ParseTypeRules(std::string_view text, const std::string& file) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  std::vector<TypeRule> rules;
  size_t begin = text.find_first_not_of(kBlanks);
  while (begin != std::string_view::npos) {
    const size_t end = std::min(text.find_first_of(kBlanks, begin), text.size());
    try {
      rules.push_back(ParseTypeRule(text.substr(begin, end - begin)));
    } catch (const Error& error) {
      ErrorDetail detail = error.detail();
      detail.file = file;
      detail.offset = begin;
      throw Error(error.code(), std::move(detail));
    }
    begin = text.find_first_not_of(kBlanks, end);
  }
  return rules;
}

}  // namespace lbrx
