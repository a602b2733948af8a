#include "check/rules/rules.h"
#include "core/base/error.h"
#include "model/config.h"

namespace lbrx {

Subject::Subject(const Checkpoint& checkpoint)
    : checkpoint(checkpoint),
      naming(NamingOf(checkpoint)),
      architecture(naming.architecture),
      mlx_layout(naming.container == Container::kMlx) {
  for (const SourceTensor& tensor : checkpoint.tensors) {
    meanings.push_back(naming.Resolve(tensor.name));
  }
}

std::string Subject::Spelling(const TensorMeaning& meaning) const {
  return naming.Spell(meaning);
}

std::string Subject::WeightName(const TensorRule& rule) const {
  TensorMeaning meaning;
  meaning.rule = &rule;
  meaning.leaf = "weight";
  return Spelling(meaning);
}

const SourceTensor* Subject::FindRole(Role role) const {
  for (size_t i = 0; i < meanings.size(); ++i) {
    if (meanings[i].rule != nullptr && meanings[i].rule->role == role &&
        meanings[i].leaf == "weight") {
      return &checkpoint.tensors[i];
    }
  }
  return nullptr;
}

const std::string& Subject::FileOf(const SourceTensor& tensor) const {
  return checkpoint.files[checkpoint.arrays[tensor.planes[0]].file].path;
}

std::string Subject::ConfigPath() const {
  return JoinPath(checkpoint.folder, "config.json");
}

bool Subject::IsPacked(const SourceTensor& weight) const {
  return weight.encoding == Plain(DType::kU32) && weight.name.ends_with(".weight") &&
         checkpoint.Find(PlaneName(weight.name, "scales")) != nullptr;
}

std::optional<uint64_t> Subject::ConfigNumber(std::string_view key) const {
  try {
    return ConfigUint(config(), key);
  } catch (const Error&) {
    return std::nullopt;  // CheckConfig reports it
  }
}

}  // namespace lbrx
