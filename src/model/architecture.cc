#include "model/architecture.h"

#include <algorithm>
#include <charconv>

#include "model/architectures/registry.h"

namespace lbrx {
namespace {

constexpr std::string_view kLayer = "{L}";

// Matches `text` against `pattern`, in which {L} stands for a decimal number.
bool Match(std::string_view pattern, std::string_view text, std::optional<uint64_t>& layer) {
  const size_t at = pattern.find(kLayer);
  if (at == std::string_view::npos) {
    return pattern == text;
  }
  const std::string_view before = pattern.substr(0, at);
  const std::string_view after = pattern.substr(at + kLayer.size());
  if (!text.starts_with(before)) {
    return false;
  }
  text.remove_prefix(before.size());
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || text.substr(end - text.data()) != after) {
    return false;
  }
  layer = number;
  return true;
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

TensorMeaning Resolve(const Architecture& architecture, std::string_view name) {
  TensorMeaning meaning;
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) {
    return meaning;
  }
  const std::string_view module = name.substr(0, dot);
  for (const TensorRule& rule : architecture.tensors) {
    if (Match(rule.pattern, module, meaning.layer)) {
      meaning.rule = &rule;
      meaning.leaf = name.substr(dot + 1);
      return meaning;
    }
  }
  return meaning;
}

}  // namespace lbrx
