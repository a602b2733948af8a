#include "model/architecture.h"

#include <algorithm>
#include <charconv>

#include "model/architectures/registry.h"
#include "model/gguf_names.h"

namespace lbrx {
namespace {

constexpr std::string_view kLayer = "{L}";
constexpr std::string_view kExpert = "{E}";

// Takes a decimal number from the front of `text`.
bool TakeNumber(std::string_view& text, std::optional<uint64_t>& number) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) {
    return false;
  }
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  number = value;
  return true;
}

// Matches `text` against `pattern`, in which {L} and {E} stand for decimal numbers.
bool Match(std::string_view pattern, std::string_view text, TensorMeaning& meaning) {
  while (true) {
    const size_t at = pattern.find('{');
    const std::string_view literal = pattern.substr(0, at);
    if (at == std::string_view::npos) {
      return literal == text;
    }
    if (!text.starts_with(literal)) {
      return false;
    }
    text.remove_prefix(literal.size());
    pattern.remove_prefix(at);
    auto& number = pattern.starts_with(kLayer) ? meaning.layer : meaning.expert;
    if (!TakeNumber(text, number)) {
      return false;
    }
    pattern.remove_prefix(kLayer.size());
  }
}

// The meaning of `name` where it is `pattern` and one of the leaves that the rule allows.
std::optional<TensorMeaning> MatchRule(const TensorRule& rule, std::string_view pattern,
                                       std::string_view leaf, std::string_view name,
                                       std::string_view cut) {
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || (!leaf.empty() && name.substr(dot + 1) != leaf) ||
      !pattern.starts_with(cut)) {
    return std::nullopt;
  }
  TensorMeaning meaning;
  if (!Match(pattern.substr(cut.size()), name.substr(0, dot), meaning)) {
    return std::nullopt;
  }
  meaning.rule = &rule;
  meaning.leaf = name.substr(dot + 1);
  return meaning;
}

}  // namespace

std::span<const Architecture* const> Architectures() {
  return ArchitectureTable();
}

const Architecture* FindArchitecture(const Json& config) {
  const auto find = [](auto predicate) -> const Architecture* {
    for (const Architecture* architecture : Architectures()) {
      if (predicate(*architecture)) {
        return architecture;
      }
    }
    return nullptr;
  };
  if (const Json* type = config.Find("model_type"); type != nullptr && type->is_string()) {
    return find([&](const Architecture& row) { return row.name == type->AsString(); });
  }
  const Json* classes = config.Find("architectures");
  if (classes == nullptr || !classes->is_array() || classes->AsArray().empty() ||
      !classes->AsArray()[0].is_string()) {
    return nullptr;
  }
  const std::string& name = classes->AsArray()[0].AsString();
  return find([&](const Architecture& row) {
    return std::find(row.classes.begin(), row.classes.end(), name) != row.classes.end();
  });
}

TensorMeaning Resolve(const Architecture& architecture, std::string_view name,
                      std::string_view cut) {
  for (const TensorRule& rule : architecture.tensors) {
    if (const auto meaning = MatchRule(rule, rule.pattern, rule.leaf, name, cut)) {
      return *meaning;
    }
  }
  return {};
}

TensorMeaning ResolveMlx(const Architecture& architecture, std::string_view name,
                         std::string_view cut) {
  for (const TensorRule& rule : architecture.tensors) {
    const std::string_view leaf = rule.mlx_leaf.empty() ? rule.leaf : rule.mlx_leaf;
    const std::string_view first = rule.mlx.empty() ? rule.pattern : rule.mlx;
    if (const auto meaning = MatchRule(rule, first, leaf, name, cut)) {
      return *meaning;
    }
    if (auto meaning = rule.mlx_second.empty()
                           ? std::nullopt
                           : MatchRule(rule, rule.mlx_second, leaf, name, cut)) {
      meaning->second = true;
      return *meaning;
    }
  }
  return {};
}

TensorMeaning ResolveGguf(const Architecture& architecture, std::string_view name) {
  for (const TensorRule& rule : architecture.tensors) {
    for (const bool second : {false, true}) {
      const std::string_view module = GgufModule(rule, second);
      if (module.empty()) {
        continue;
      }
      if (auto meaning = MatchRule(rule, module, GgufLeaf(rule), name, "")) {
        meaning->second = second;
        return *meaning;
      }
    }
  }
  return {};
}

std::string Spell(std::string_view pattern, const TensorMeaning& numbers, std::string_view leaf) {
  std::string name(pattern);
  const auto put = [&](std::string_view mark, const std::optional<uint64_t>& number) {
    const size_t at = name.find(mark);
    if (at != std::string::npos && number) {
      name.replace(at, mark.size(), std::to_string(*number));
    }
  };
  put(kLayer, numbers.layer);
  put(kExpert, numbers.expert);
  return name + "." + std::string(leaf);
}

}  // namespace lbrx
