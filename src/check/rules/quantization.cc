#include <unordered_set>

#include "check/rules/rules.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

// MLX's block: `quantization`, or its copy under the other name (which has no quant_method; with
// one, the block belongs to another library).
const Json* FindBlock(const Json& config) {
  if (const Json* block = config.Find("quantization"); block != nullptr && block->is_object()) {
    return block;
  }
  const Json* copy = config.Find("quantization_config");
  const bool of_mlx = copy != nullptr && copy->is_object() && copy->Find("bits") != nullptr &&
                      copy->Find("quant_method") == nullptr;
  return of_mlx ? copy : nullptr;
}

std::string_view ModuleOf(std::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? name : name.substr(0, dot);
}

std::unordered_set<std::string_view> Modules(const Checkpoint& checkpoint) {
  std::unordered_set<std::string_view> modules;
  for (const SourceTensor& tensor : checkpoint.tensors) {
    modules.insert(ModuleOf(tensor.name));
  }
  return modules;
}

// One member of the block: a module's own parameters, or whether it is quantized at all. That a
// module which it calls quantized is so was checked when the checkpoint was opened.
void CheckEntry(const Subject& subject, const std::string& module, const Json& entry, bool exists,
                Problems& problems) {
  Problem problem;
  problem.detail.file = subject.ConfigPath();
  problem.detail.object = Format("quantization, {}", module);
  if (!exists) {
    problem.severity = Severity::kWarning;
    problem.detail.what = "an entry for a module that does not exist";
    problem.detail.advice = "remove the entry, or get the complete checkpoint";
    problems.push_back(std::move(problem));
    return;
  }
  const SourceTensor* weight = subject.checkpoint.Find(module + ".weight");
  if (entry.is_bool() && !entry.AsBool() && weight != nullptr && subject.IsPacked(*weight)) {
    problem.detail.what = "the entry says that the module is not quantized";
    problem.detail.expected = Format("{}.weight of a floating type", module);
    problem.detail.found = "packed codes with scales";
    problem.detail.advice = "use the config.json that belongs to these weights";
    problems.push_back(std::move(problem));
  }
}

void CheckEntries(const Subject& subject, const Json& block, Problems& problems) {
  const std::unordered_set<std::string_view> modules = Modules(subject.checkpoint);
  for (const auto& [key, value] : block.AsObject()) {
    if (value.is_object() || value.is_bool()) {
      CheckEntry(subject, key, value, modules.count(key) != 0, problems);
    }
  }
}

void CheckUsed(const Subject& subject, Problems& problems) {
  for (const SourceTensor& tensor : subject.checkpoint.tensors) {
    if (tensor.encoding.scheme != Scheme::kPlain || !Info(tensor.encoding.dtype).floating) {
      return;
    }
  }
  Problem problem;
  problem.severity = Severity::kWarning;
  problem.detail = {.file = subject.ConfigPath(),
                    .object = "quantization",
                    .what = "the block is there, but no tensor is quantized",
                    .expected = "",
                    .found = "",
                    .offset = {},
                    .advice = "remove quantization and quantization_config"};
  problems.push_back(std::move(problem));
}

// mlx-lm writes the block under both names; readers differ in which one they take.
void CheckCopy(const Subject& subject, Problems& problems) {
  const Json* block = subject.checkpoint.config.Find("quantization");
  const Json* copy = subject.checkpoint.config.Find("quantization_config");
  if (block == nullptr || copy == nullptr || copy->Find("quant_method") != nullptr ||
      *block == *copy) {
    return;
  }
  Problem problem;
  problem.severity = Severity::kWarning;
  problem.detail = {.file = subject.ConfigPath(),
                    .object = "quantization_config",
                    .what = "differs from quantization, whose copy it should be",
                    .expected = "",
                    .found = "",
                    .offset = {},
                    .advice = "make quantization_config the same as quantization"};
  problems.push_back(std::move(problem));
}

}  // namespace

void CheckQuantization(const Subject& subject, Problems& problems) {
  const Json* block = FindBlock(subject.checkpoint.config);
  if (block != nullptr) {
    CheckEntries(subject, *block, problems);
    CheckUsed(subject, problems);
    CheckCopy(subject, problems);
  }
}

}  // namespace lbrx
