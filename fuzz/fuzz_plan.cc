// What `apply` reads: requests of conversions and merges. What is accepted is written again and
// read the same; its options about types are refused as any user's.
#include <cstdint>
#include <string_view>

#include "check.h"
#include "convert/convert.h"
#include "convert/gguf_types.h"
#include "core/base/error.h"
#include "merge/merge.h"
#include "target.h"

namespace lbrx {
namespace {

void CheckTypes(const ConvertRequest& request) {
  try {
    static_cast<void>(GgufTypes(request).label());
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() == ErrorCode::kUsage);
  }
}

void CheckMerge(const Json& json) {
  const Json written = MergeRequest::FromJson(json).ToJson();
  FUZZ_CHECK(MergeRequest::FromJson(written).ToJson() == written);
}

void Run(std::string_view text) {
  try {
    const Json json = ParseJson(text, "input");
    const ConvertRequest request = ConvertRequest::FromJson(json);
    const Json written = request.ToJson();
    for (const auto& [key, value] : written.AsObject()) {
      // What was said is what is kept, as far as numbers and texts go.
      const Json* said = json.Find(key);
      FUZZ_CHECK(said == nullptr || !said->is_integer() || !value.is_integer() || *said == value);
    }
    FUZZ_CHECK(ConvertRequest::FromJson(written).ToJson() == written);
    CheckTypes(request);
    if (!request.merge.is_null()) {
      CheckMerge(request.merge);
    }
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() == ErrorCode::kInvalid);
  }
}

}  // namespace
}  // namespace lbrx

FUZZ_TARGET(kText);
