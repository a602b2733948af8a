#include "convert/selection.h"

#include <algorithm>
#include <charconv>

#include "core/base/format.h"
#include "core/text/suggest.h"
#include "quant/gguf/file_types.h"

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

// The schemes among which a target chooses: all but those of another family than `named`, and of
// another group than the one asked for. --search knows affine codes only.
std::vector<Encoding> Families(const ConvertRequest& request,
                               const std::optional<Encoding>& named) {
  std::vector<Encoding> out;
  for (const SchemeRow& row : SchemeTable()) {
    const bool affine = row.encoding.scheme == Scheme::kAffine;
    const bool family = !named || affine == (named->scheme == Scheme::kAffine);
    if (!family || row.encoding.bits < 2 || (request.search && !affine)) {
      continue;
    }
    for (const uint16_t group : {32, 64, 128}) {
      Encoding encoding = row.encoding;
      encoding.group = affine ? group : encoding.group;
      const bool asked = request.group_size == 0 || request.group_size == encoding.group;
      if (asked && (affine || group == 32)) {
        out.push_back(encoding);
      }
    }
  }
  return out;
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

// Of MLX's widths, the nearest to a GGUF type's.
int NearestBits(uint8_t bits) {
  return bits == 0 ? 8 : std::clamp<int>(bits, 2, 8);
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
  if (const FileType* type = FindFileType(name); type != nullptr && type->BaseType() != nullptr) {
    throw Error(ErrorCode::kUsage,
                Format("{} is for GGUF files (DST.gguf); the nearest that a folder can hold is -q "
                       "{}bit",
                       type->name, NearestBits(type->BaseType()->encoding.bits)));
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
  std::optional<Encoding> named;
  if (request.scheme) {
    recipe_ = MixedRecipeByName(*request.scheme);
    named = recipe_ ? ParseSchemeOption(Format("{}bit", recipe_->low_bits), request.group_size)
                    : ParseSchemeOption(*request.scheme, request.group_size);
    label_ = recipe_ ? std::string(recipe_->name) : SchemeLabel(*named);
  }
  if (request.target_bpw || request.target_size) {
    recipe_.reset();
    families_ = Families(request, named);
    label_ = request.target_bpw ? Format("{} bits per weight", *request.target_bpw)
                                : Format("{} bytes", *request.target_size);
  } else {
    global_ = named;
  }
  for (const ConvertRequest::Choice& choice : request.choices) {
    if (!choice.scheme.empty()) {
      choices_.emplace(choice.tensor, ParseSchemeOption(choice.scheme, 0));
    }
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
  return global_ || is_target() || std::any_of(rules_.begin(), rules_.end(), [](const Rule& rule) {
           return rule.encoding.has_value();
         });
}

std::string Selection::label() const {
  return label_.empty() ? "the scheme of an --override" : label_;
}

const Selection::Rule* Selection::Match(const Candidate& tensor) {
  for (Rule& rule : rules_) {
    const bool output_matches = rule.regex.Search(tensor.name);
    if (output_matches || rule.regex.Search(tensor.source_name)) {
      ++rule.matches;
      rule.source_only += output_matches ? 0 : 1;
      return &rule;
    }
  }
  return nullptr;
}

std::optional<Encoding> Selection::For(const Candidate& tensor) {
  if (const Rule* rule = Match(tensor)) {
    const bool fits = !rule->encoding || CanEncode(*rule->encoding, tensor.shape);
    return fits ? rule->encoding : std::nullopt;
  }
  return IsQuantizable(tensor) ? ByDefault(tensor) : std::nullopt;
}

std::vector<Encoding> Selection::CandidatesFor(const Candidate& tensor) {
  std::vector<Encoding> fitting;
  if (Match(tensor) == nullptr && IsQuantizable(tensor) && !Protected(tensor)) {
    std::copy_if(families_.begin(), families_.end(), std::back_inserter(fitting),
                 [&](const Encoding& encoding) { return CanEncode(encoding, tensor.shape); });
  }
  return fitting;
}

std::optional<Encoding> Selection::Protected(const Candidate& tensor) const {
  // A recipe takes the place of the architecture's own choice, as in mlx-lm.
  const bool wanted =
      (protect_routers_ && IsRouter(tensor.meaning)) ||
      (!recipe_ && tensor.meaning.rule != nullptr && tensor.meaning.rule->eight_bit);
  return wanted && CanEncode(EightBit(), tensor.shape) ? std::optional(EightBit()) : std::nullopt;
}

std::optional<Encoding> Selection::ByDefault(const Candidate& tensor) const {
  if (global_ && !CanEncode(*global_, tensor.shape)) {
    return std::nullopt;
  }
  if (global_ || is_target()) {
    if (const std::optional<Encoding> eight_bit = Protected(tensor)) {
      return eight_bit;
    }
  }
  if (is_target()) {
    const auto chosen = choices_.find(tensor.name);
    return chosen == choices_.end() ? std::nullopt : std::optional(chosen->second);
  }
  if (!recipe_) {
    return global_;
  }
  Encoding encoding = *global_;
  encoding.bits = BitsFor(*recipe_, tensor.name, tensor.meaning.layer.value_or(0), tensor.layers);
  return encoding;
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
