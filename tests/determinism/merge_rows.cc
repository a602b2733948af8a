#include <algorithm>

#include "core/base/format.h"
#include "determinism/place.h"
#include "determinism/rows.h"
#include "merge/method.h"

namespace lbrx::determinism {
namespace {

// Values with which methods drop, weigh and draw; what is not named here has its standard, or a
// half where it must be given.
std::string ValueOf(const MergeParameterInfo& info) {
  if (info.name == "density" || info.name == "select_topk") {
    return "0.6";
  }
  if (info.name == "weight") {
    return "0.7";
  }
  return info.required ? "0.5" : "";
}

std::string ParametersOf(const MergeMethod& method, bool of_member) {
  std::string out;
  for (const MergeParameterInfo& info : method.parameters) {
    const std::string value = ValueOf(info);
    if (info.of_member == of_member && !value.empty()) {
      out += Format("{}{}: {}", out.empty() ? "" : ", ", info.name, value);
    }
  }
  return "{" + out + "}";
}

// A configuration of mergekit's, in JSON's subset of YAML.
std::string ConfigOf(const MergeMethod& method, bool with_base) {
  const size_t members =
      std::min<size_t>(std::max<size_t>(method.least_members, 3), method.most_members);
  std::string models = with_base && method.most_members == 1 ? "{model: base}, " : "";
  for (size_t i = 0; i < members; ++i) {
    models += Format("{}{{model: {}, parameters: {}}}", i == 0 ? "" : ", ",
                     std::string(1, static_cast<char>('a' + i)), ParametersOf(method, true));
  }
  return Format("merge_method: {}\nmodels: [{}]\nparameters: {}\n{}", method.name, models,
                ParametersOf(method, false), with_base ? "base_model: base\n" : "");
}

void Add(std::vector<Row>& rows, const std::string& name, const std::string& config,
         const std::vector<std::string>& options, const std::string& out = "run/out") {
  std::vector<std::string> command = {"merge", "config.yml", out};
  command.insert(command.end(), options.begin(), options.end());
  rows.push_back({.name = "merge_" + name, .commands = {command}, .config = config});
}

}  // namespace

void AddMergeRows(std::vector<Row>& rows) {
  for (const MergeMethod* method : MergeMethods()) {
    const bool bases[] = {false, true};
    for (const bool with_base : bases) {
      if (with_base ? method->base == BaseRole::kNone : method->base == BaseRole::kRequired) {
        continue;
      }
      const std::string name = std::string(method->name) + (with_base ? "" : "_baseless");
      const std::string config = ConfigOf(*method, with_base);
      Add(rows, name, config, {"--random-seed", "7"});
      Add(rows, name + "_compat", config, {"--compat", "mergekit", "--dtype", "f32"});
      Add(rows, name + "_4bit", config, {"-q", "4bit", "--report", "run/report.json"});
    }
  }
  const std::string linear = ConfigOf(FindMergeMethod("linear"), false);
  Add(rows, "to_gguf", linear, {"-q", "Q4_K_M"}, "run/out.gguf");
  Add(rows, "adapter",
      "merge_method: passthrough\nmodels: [{model: " LBRX_TEST_DATA "/arch/llama+" LBRX_TEST_DATA
      "/adapters/lora}]\n",
      {"--no-card"});
}

}  // namespace lbrx::determinism
