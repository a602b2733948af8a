#include "check/repair/lore.h"

#include <algorithm>

namespace lbrx {

std::string NameTemplate(std::string_view name) {
  std::string out;
  bool digits = false;
  for (const char c : name) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit || !digits) {
      out += digit ? '#' : c;
    }
    digits = digit;
  }
  return out;
}

void Lore::AddReference(const std::string& name, const ArrayKind& kind) {
  reference_.emplace(name, kind);
}

void Lore::AddSound(const std::string& name, const ArrayKind& kind) {
  ++types_[kind.dtype];
  std::vector<ArrayKind>& kinds = siblings_[NameTemplate(name)];
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
    kinds.push_back(kind);
  }
}

std::optional<DType> Lore::MainType() const {
  const auto most =
      std::max_element(types_.begin(), types_.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == types_.end() ? std::nullopt : std::optional(most->first);
}

std::vector<ArrayKind> Lore::Candidates(const std::string& name) const {
  std::vector<ArrayKind> out;
  const auto siblings = siblings_.find(NameTemplate(name));
  if (siblings != siblings_.end() && siblings->first.find('#') != std::string::npos) {
    out = siblings->second;
  }
  const auto reference = reference_.find(name);
  if (reference != reference_.end()) {
    out.push_back(reference->second);
    if (const std::optional<DType> type = MainType();
        type && Info(*type).floating && Info(reference->second.dtype).floating) {
      out.push_back({*type, reference->second.shape});
    }
  }
  return out;
}

}  // namespace lbrx
