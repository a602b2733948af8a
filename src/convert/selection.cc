#include "convert/selection.h"

#include <algorithm>
#include <charconv>

#include "core/base/format.h"
#include "core/text/suggest.h"

namespace lbrx {
namespace {

constexpr uint64_t kSmallestMatrix = 32;

// Linear and embedding weights of a known architecture; else matrices that look like them.
bool IsQuantizable(const Selection::Candidate& tensor) {
  const Shape& shape = tensor.shape;
  if (shape.rank() < 2 || !tensor.name.ends_with(".weight")) {
    return false;
  }
  if (tensor.known_architecture) {
    return tensor.meaning.rule != nullptr && tensor.meaning.rule->kind != ModuleKind::kOther;
  }
  return shape.rank() == 2 && shape[0] >= kSmallestMatrix && shape[1] >= kSmallestMatrix &&
         tensor.name.find("norm") == std::string::npos;
}

bool IsRouter(const TensorMeaning& meaning) {
  return meaning.rule != nullptr &&
         (meaning.rule->role == Role::kRouter || meaning.rule->role == Role::kSharedRouter);
}

// What mlx-lm keeps sensitive modules at.
Encoding EightBit() {
  return Affine(8, 64, DType::kF32);
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
  for (const MixedRecipe& recipe : MixedRecipes()) {
    known.emplace_back(recipe.name);
  }
  throw Error(ErrorCode::kUsage, Format("unknown scheme \"{}\"; {}", Printable(name),
                                        Suggestion(name, known, "`lbrx schemes` lists them")));
}

Selection::Selection(const ConvertRequest& request) : protect_routers_(request.protect_routers) {
  if (request.scheme) {
    recipe_ = MixedRecipeByName(*request.scheme);
    global_ = recipe_ ? ParseSchemeOption(Format("{}bit", recipe_->low_bits), request.group_size)
                      : ParseSchemeOption(*request.scheme, request.group_size);
  }
  for (const ConvertRequest::Rule& rule : request.rules) {
    std::optional<Encoding> encoding;
    if (!rule.scheme.empty()) {
      encoding = ParseSchemeOption(rule.scheme, 0);
    }
    rules_.push_back({.regex = Regex(rule.regex), .encoding = encoding});
  }
}

bool Selection::wants_schemes() const {
  return global_ || std::any_of(rules_.begin(), rules_.end(),
                                [](const Rule& rule) { return rule.encoding.has_value(); });
}

std::string Selection::label() const {
  if (recipe_) {
    return std::string(recipe_->name);
  }
  return global_ ? SchemeLabel(*global_) : "the scheme of an --override";
}

std::optional<Encoding> Selection::For(const Candidate& tensor) {
  for (Rule& rule : rules_) {
    const bool output_matches = rule.regex.Search(tensor.name);
    if (!output_matches && !rule.regex.Search(tensor.source_name)) {
      continue;
    }
    ++rule.matches;
    rule.source_only += output_matches ? 0 : 1;
    if (rule.encoding && !CanEncode(*rule.encoding, tensor.shape)) {
      return std::nullopt;
    }
    return rule.encoding;
  }
  return ByDefault(tensor);
}

std::optional<Encoding> Selection::ByDefault(const Candidate& tensor) const {
  if (!global_ || !CanEncode(*global_, tensor.shape) || !IsQuantizable(tensor)) {
    return std::nullopt;
  }
  const bool eight_bit_fits = CanEncode(EightBit(), tensor.shape);
  if (protect_routers_ && IsRouter(tensor.meaning) && eight_bit_fits) {
    return EightBit();
  }
  if (recipe_) {  // takes the place of the architecture's own choice, as in mlx-lm
    Encoding encoding = *global_;
    encoding.bits = BitsFor(*recipe_, tensor.name, tensor.meaning.layer.value_or(0), tensor.layers);
    return encoding;
  }
  if (tensor.meaning.rule != nullptr && tensor.meaning.rule->eight_bit && eight_bit_fits) {
    return EightBit();
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
