// YAML and mergekit's configuration. A text that is refused is refused with its place; one that is
// accepted reads the same twice, has sources of equal length and parameters that evaluate or say
// where they cannot.
#include <cstdint>
#include <string>
#include <string_view>

#include "check.h"
#include "core/base/error.h"
#include "core/text/yaml.h"
#include "merge/config.h"

namespace lbrx {
namespace {

void CheckError(const Error& error) {
  FUZZ_CHECK(error.code() == ErrorCode::kInvalid);
  FUZZ_CHECK(error.detail().file == "input");
  FUZZ_CHECK(error.detail().object.starts_with("line "));
}

// Nodes below, every one visited: aliases make no more of them than the limits allow.
uint64_t Visit(const YamlNode& node) {
  uint64_t count = 1;
  FUZZ_CHECK(node.position().line > 0 && node.position().column > 0);
  for (size_t i = 0; i < node.size(); ++i) {
    if (node.is_mapping()) {
      count += Visit(node.key(i)) + Visit(node.value(i));
      FUZZ_CHECK(node.Find(node.key(i).text()).has_value());
    } else {
      count += Visit(node[i]);
    }
  }
  if (node.is_number()) {
    static_cast<void>(node.AsDouble());
  }
  return count;
}

void CheckYaml(std::string_view text) {
  YamlLimits limits;
  limits.max_repeated = 1000;
  try {
    const YamlDocument document = ParseYaml(text, "input", limits);
    FUZZ_CHECK(Visit(document.root()) <= 2 * text.size() + 2 + limits.max_repeated);
  } catch (const Error& error) {
    CheckError(error);
  }
}

void CheckParameters(const MergeConfig& config, const ParameterScope& scope,
                     const MergeSource& source) {
  for (const auto& [name, parameter] : source.parameters) {
    FUZZ_CHECK(parameter.key.line > 0);
    for (const ParameterType type :
         {ParameterType::kNumber, ParameterType::kInteger, ParameterType::kBoolean}) {
      try {
        static_cast<void>(ModelParameter(scope, name, type, source.model, "layers.0.mlp", 0.3));
      } catch (const Error& error) {
        CheckError(error);
      }
    }
  }
  FUZZ_CHECK(!source.layers || source.layers->begin < source.layers->end);
  FUZZ_CHECK(source.layers.has_value() == scope.slice->sources.front().layers.has_value());
  FUZZ_CHECK(config.file == "input");
}

void CheckConfig(std::string_view text) {
  try {
    const MergeConfig config = ParseMergeConfig(text, "input");
    const MergeConfig again = ParseMergeConfig(config.text, "input");
    FUZZ_CHECK(ReferencedModels(config) == ReferencedModels(again));
    FUZZ_CHECK(config.warnings.size() == again.warnings.size());
    for (const MergeModule& module : config.modules) {
      FUZZ_CHECK(!module.slices.empty());
      for (const MergeSlice& slice : module.slices) {
        for (const MergeSource& source : slice.sources) {
          CheckParameters(config, {&config, &module, &slice}, source);
        }
      }
    }
  } catch (const Error& error) {
    CheckError(error);
  }
}

}  // namespace
}  // namespace lbrx

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  lbrx::CheckYaml(text);
  lbrx::CheckConfig(text);
  return 0;
}
