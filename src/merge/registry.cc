#include <array>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/text/suggest.h"
#include "merge/methods/methods.h"

namespace lbrx {

std::span<const MergeMethod* const> MergeMethods() {
  static constexpr std::array kMethods = {
      &kLinear,      &kSlerp,       &kNuslerp,     &kMultislerp,  &kKarcher,
      &kPassthrough, &kModelStock,  &kArceeFusion, &kNearswap,    &kTaskArithmetic,
      &kTies,        &kDareLinear,  &kDareTies,    &kBreadcrumbs, &kBreadcrumbsTies,
      &kDella,       &kDellaLinear, &kSce,         &kRam,         &kRamplusTl,
  };
  return kMethods;
}

const MergeMethod& FindMergeMethod(std::string_view name) {
  std::vector<std::string> names;
  for (const MergeMethod* method : MergeMethods()) {
    if (method->name == name) {
      return *method;
    }
    names.emplace_back(method->name);
  }
  throw Error(ErrorCode::kInvalid, {.file = {},
                                    .object = "merge_method",
                                    .what = "there is no such method",
                                    .expected = {},
                                    .found = std::string(name),
                                    .offset = {},
                                    .advice = Suggestion(name, names, "see lbrx merge --help")});
}

}  // namespace lbrx
