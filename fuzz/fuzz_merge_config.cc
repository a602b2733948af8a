// mergekit's configuration. A text that is refused is refused with its place; one that is
// accepted reads the same twice, has sources of equal length and parameters that evaluate or say
// where they cannot.
#include <cstdint>
#include <string>
#include <string_view>

#include "check.h"
#include "core/base/error.h"
#include "memory_bound.h"
#include "merge/config.h"
#include "structure/pieces.h"

namespace lbrx {
namespace {

void CheckError(const Error& error) {
  FUZZ_CHECK(error.code() == ErrorCode::kInvalid);
  FUZZ_CHECK(error.detail().file == "input");
  FUZZ_CHECK(error.detail().object.starts_with("line "));
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
  const lbrx::MemoryBound bound(size);
  lbrx::CheckConfig({reinterpret_cast<const char*>(data), size});
  return 0;
}

FUZZ_STRUCTURE(kText);
