#include "convert/selection.h"

#include <charconv>

#include "core/base/format.h"
#include "core/text/suggest.h"

namespace lbrx {
namespace {

constexpr uint64_t kSmallestMatrix = 32;

// Linear and embedding weights of a known architecture; else matrices that look like them.
bool IsQuantizable(const Architecture* architecture, const std::string& name, const Shape& shape) {
  if (shape.rank() < 2 || !name.ends_with(".weight")) {
    return false;
  }
  if (architecture != nullptr) {
    const TensorMeaning meaning = Resolve(*architecture, name);
    return meaning.rule != nullptr && meaning.rule->kind != ModuleKind::kOther;
  }
  return shape.rank() == 2 && shape[0] >= kSmallestMatrix && shape[1] >= kSmallestMatrix &&
         name.find("norm") == std::string::npos;
}

uint16_t ParseGroup(const std::string& text, std::string_view digits) {
  uint16_t group = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), group);
  if (error != std::errc() || end != digits.data() + digits.size() || group == 0) {
    throw Error(ErrorCode::kUsage,
                Format("scheme \"{}\": the group after \"/\" is not a number", Printable(text)));
  }
  return group;
}

}  // namespace

Encoding ParseSchemeOption(const std::string& text, uint16_t group) {
  const size_t slash = text.find('/');
  const std::string name = text.substr(0, slash);
  if (slash != std::string::npos) {
    group = ParseGroup(text, std::string_view(text).substr(slash + 1));
  }
  if (std::optional<Encoding> encoding = ParseScheme(name, group)) {
    return *encoding;
  }
  std::vector<std::string> known;
  for (const SchemeRow& row : SchemeTable()) {
    known.emplace_back(row.name);
  }
  throw Error(ErrorCode::kUsage, Format("unknown scheme \"{}\"; {}", Printable(name),
                                        Suggestion(name, known, "`lbrx schemes` lists them")));
}

Selection::Selection(const ConvertRequest& request) {
  if (request.scheme) {
    global_ = ParseSchemeOption(*request.scheme, request.group_size);
  }
  for (const ConvertRequest::Rule& rule : request.rules) {
    std::optional<Encoding> encoding;
    if (!rule.scheme.empty()) {
      encoding = ParseSchemeOption(rule.scheme, 0);
    }
    rules_.push_back({.regex = Regex(rule.regex), .encoding = encoding});
  }
}

std::optional<Encoding> Selection::For(const Architecture* architecture,
                                       const std::string& output_name,
                                       const std::string& source_name, const Shape& shape) {
  for (Rule& rule : rules_) {
    const bool output_matches = rule.regex.Search(output_name);
    if (!output_matches && !rule.regex.Search(source_name)) {
      continue;
    }
    ++rule.matches;
    rule.source_only += output_matches ? 0 : 1;
    if (rule.encoding && !CanEncode(*rule.encoding, shape)) {
      return std::nullopt;
    }
    return rule.encoding;
  }
  if (!global_ || !CanEncode(*global_, shape) || !IsQuantizable(architecture, output_name, shape)) {
    return std::nullopt;
  }
  return global_;
}

void Selection::Finish(bool strict, std::vector<std::string>& notices) const {
  for (const Rule& rule : rules_) {
    if (rule.matches == 0) {
      const std::string text =
          Format("the rule \"{}\" matches no tensor", Printable(rule.regex.pattern()));
      if (strict) {
        throw Error(ErrorCode::kInvalid, text);
      }
      notices.push_back(text);
    } else if (rule.source_only > 0) {
      notices.push_back(Format("the rule \"{}\" matches {} tensors only by their source name",
                               Printable(rule.regex.pattern()), rule.source_only));
    }
  }
}

}  // namespace lbrx
