#include "check/names.h"

namespace lbrx {
namespace {

constexpr std::string_view kLayer = "{L}";

}  // namespace

bool IsPerLayer(const TensorRule& rule) {
  return rule.pattern.find(kLayer) != std::string_view::npos;
}

std::string ModuleName(const TensorRule& rule, uint64_t layer) {
  std::string name(rule.pattern);
  if (const size_t at = name.find(kLayer); at != std::string::npos) {
    name.replace(at, kLayer.size(), std::to_string(layer));
  }
  return name;
}

std::string CanonicalName(const Architecture* architecture, std::string_view name) {
  if (architecture == nullptr) {
    return std::string(name);
  }
  const TensorMeaning meaning = Resolve(*architecture, name);
  if (meaning.rule == nullptr || meaning.rule->mlx.empty()) {
    return std::string(name);
  }
  return ModuleName(*meaning.rule, meaning.layer.value_or(0)) + "." + std::string(meaning.leaf);
}

}  // namespace lbrx
