// What users write to choose tensors: regular expressions, and the rules of a --tensor-type-file.
// The first line is a pattern, which is searched in the others; the whole is a file of rules.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "check.h"
#include "core/base/error.h"
#include "core/text/regex.h"
#include "memory_bound.h"
#include "quant/gguf/type_rules.h"
#include "structure/pieces.h"

namespace lbrx {
namespace {

void CheckPattern(const std::string& pattern, std::string_view texts) {
  try {
    const Regex regex(pattern);
    FUZZ_CHECK(regex.pattern() == pattern);
    while (!texts.empty()) {
      const std::string_view text = texts.substr(0, texts.find('\n'));
      FUZZ_CHECK(regex.Search(text) == regex.Search(std::string(text)));
      texts.remove_prefix(std::min(text.size() + 1, texts.size()));
    }
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() == ErrorCode::kUsage || error.code() == ErrorCode::kLimit);
  }
}

void CheckRules(std::string_view text) {
  try {
    for (const TypeRule& rule : ParseTypeRules(text, "input")) {
      FUZZ_CHECK(rule.type != nullptr);
      const TypeRule again =
          ParseTypeRule(rule.pattern.pattern() + "=" + std::string(rule.type->name));
      FUZZ_CHECK(again.type == rule.type && again.pattern.pattern() == rule.pattern.pattern());
    }
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() == ErrorCode::kUsage);
  }
}

}  // namespace
}  // namespace lbrx

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const lbrx::MemoryBound bound(size);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t line = std::min(text.find('\n'), size);
  lbrx::CheckPattern(std::string(text.substr(0, line)), text.substr(std::min(line + 1, size)));
  lbrx::CheckRules(text);
  return 0;
}

FUZZ_STRUCTURE(kText);
