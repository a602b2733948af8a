#include "model/config.h"

#include "check/rules/rules.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

// A key that shapes depend on. Where a required one is absent, transformers takes a default of the
// model's class, which says nothing about this checkpoint; null is a value for some.
struct Key {
  std::string_view name;
  bool required;
};

std::vector<Key> KeysOf(const ConfigKeys& keys) {
  std::vector<Key> list = {{keys.hidden, true}, {keys.intermediate, true}, {keys.layers, true},
                           {keys.heads, true},  {keys.vocabulary, true},   {"head_dim", false}};
  if (keys.key_value_heads != keys.heads) {
    list.push_back({keys.key_value_heads, false});
  }
  return list;
}

Problem ConfigProblem(const Subject& subject, Severity severity, std::string_view key) {
  Problem problem;
  problem.severity = severity;
  problem.detail.file = subject.ConfigPath();
  problem.detail.object = key;
  return problem;
}

void CheckKey(const Subject& subject, const Key& key, Problems& problems) {
  std::optional<uint64_t> value;
  try {
    value = ConfigUint(subject.config(), key.name);
  } catch (const Error& error) {
    Problem problem = ConfigProblem(subject, Severity::kError, key.name);
    problem.detail.what = "not a number that a model can have";
    problem.detail.expected = "a positive integer";
    problem.detail.found = WriteJson(*subject.config().Find(key.name));
    problem.detail.advice = "correct config.json";
    problems.push_back(std::move(problem));
    return;
  }
  if (key.required && subject.config().Find(key.name) == nullptr) {
    Problem problem = ConfigProblem(subject, Severity::kWarning, key.name);
    problem.detail.what = "the key is missing, so what depends on it was not checked";
    problem.detail.advice = "take config.json from the original model";
    problems.push_back(std::move(problem));
  } else if (value == uint64_t{0}) {
    Problem problem = ConfigProblem(subject, Severity::kError, key.name);
    problem.detail.what = "not a number that a model can have";
    problem.detail.expected = "a positive integer";
    problem.detail.found = "0";
    problem.detail.advice = "correct config.json";
    problems.push_back(std::move(problem));
  }
}

// `whole` is a multiple of `part`, both keys of config.json.
void CheckDivisible(const Subject& subject, std::string_view whole, std::string_view part,
                    Problems& problems) {
  const std::optional<uint64_t> dividend = subject.ConfigNumber(whole);
  const std::optional<uint64_t> divisor = subject.ConfigNumber(part);
  if (dividend.has_value() && divisor.value_or(0) != 0 && *dividend % *divisor != 0) {
    Problem problem = ConfigProblem(subject, Severity::kError, whole);
    problem.detail.what = Format("not a multiple of {}", part);
    problem.detail.expected = Format("a multiple of {}", *divisor);
    problem.detail.found = Format("{}", *dividend);
    problem.detail.advice = "correct config.json";
    problems.push_back(std::move(problem));
  }
}

}  // namespace

void CheckConfig(const Subject& subject, Problems& problems) {
  const ConfigKeys& keys = subject.architecture->keys;
  for (const Key& key : KeysOf(keys)) {
    CheckKey(subject, key, problems);
  }
  CheckDivisible(subject, keys.heads, keys.key_value_heads, problems);
  if (!subject.ConfigNumber("head_dim").has_value()) {
    CheckDivisible(subject, keys.hidden, keys.heads, problems);
  }
}

}  // namespace lbrx
