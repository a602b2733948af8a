#include <map>
#include <set>

#include "check/rules/rules.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

std::string_view ExpertsKey(const Subject& subject) {
  for (const std::string_view key : {"num_local_experts", "num_experts", "n_routed_experts"}) {
    if (subject.ConfigNumber(key).has_value()) {
      return key;
    }
  }
  return "";
}

bool IsExpert(Role role) {
  return role == Role::kExpertGate || role == Role::kExpertUp || role == Role::kExpertDown ||
         role == Role::kExpertGateUp;
}

void AddMismatch(const Subject& subject, std::string object, std::string_view key, uint64_t count,
                 uint64_t found, Problems& problems) {
  Problem problem;
  problem.detail = {.file = subject.checkpoint.path,
                    .object = std::move(object),
                    .what = "the number of experts contradicts config.json",
                    .expected = Format("{} ({})", count, key),
                    .found = Format("{}", found),
                    .offset = {},
                    .advice = "use the config.json that belongs to these weights"};
  problems.push_back(std::move(problem));
}

}  // namespace

void CheckExperts(const Subject& subject, Problems& problems) {
  const std::string_view key = ExpertsKey(subject);
  if (key.empty()) {
    return;
  }
  const uint64_t count = *subject.ConfigNumber(key);
  std::map<const TensorRule*, std::set<uint64_t>> experts;  // a matrix each, any layer
  for (size_t i = 0; i < subject.meanings.size(); ++i) {
    const TensorMeaning& meaning = subject.meanings[i];
    const SourceTensor& tensor = subject.checkpoint.tensors[i];
    if (meaning.rule == nullptr ||
        (!IsExpert(meaning.rule->role) && meaning.rule->role != Role::kRouter)) {
      continue;
    }
    if (meaning.expert.has_value()) {
      experts[meaning.rule].insert(*meaning.expert);
    } else if (!subject.IsPacked(tensor) && tensor.shape.rank() != 0 && tensor.shape[0] != count) {
      AddMismatch(subject, tensor.name, key, count, tensor.shape[0], problems);  // one stack
    }
  }
  for (const auto& [rule, numbers] : experts) {
    if (numbers.size() != count || *numbers.rbegin() != count - 1) {
      AddMismatch(subject, std::string(rule->pattern), key, count, numbers.size(), problems);
    }
  }
}

}  // namespace lbrx
