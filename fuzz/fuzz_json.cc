// JSON: what is accepted reads back the same after being written in any style.
#include <cstdint>
#include <string_view>

#include "check.h"
#include "core/base/error.h"
#include "core/text/json.h"
#include "memory_bound.h"
#include "structure/pieces.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const lbrx::MemoryBound bound(size);
  using namespace lbrx;  // NOLINT(google-build-using-namespace)
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Json value;
  try {
    value = ParseJson(text, "input", {uint64_t{1} << 20, 64});
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() == ErrorCode::kInvalid);
    FUZZ_CHECK(error.detail().offset.has_value());
    FUZZ_CHECK(*error.detail().offset <= size || size > (uint64_t{1} << 20));
    return 0;
  }
  for (const JsonStyle& style : {JsonStyle{}, JsonStyle{4, true, true}, JsonStyle{0, false, false},
                                 JsonStyle{-1, true, true}}) {
    const std::string written = WriteJson(value, style);
    const Json again = ParseJson(written, "again");
    FUZZ_CHECK(again == value);
    FUZZ_CHECK(WriteJson(again, style) == written);
  }
  return 0;
}

FUZZ_STRUCTURE(kText);
