#include <algorithm>
#include <map>

#include "check/rules/rules.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

struct Use {
  uint64_t tensors = 0;
  const SourceTensor* first = nullptr;
};

// Microscaling formats have no floating type of their own.
bool HasFloatType(const Encoding& encoding) {
  return encoding.scheme == Scheme::kAffine ||
         (encoding.scheme == Scheme::kPlain && Info(encoding.dtype).floating);
}

}  // namespace

void CheckTypes(const Subject& subject, Problems& problems) {
  std::map<DType, Use> uses;
  for (const SourceTensor& tensor : subject.checkpoint.tensors) {
    if (HasFloatType(tensor.encoding)) {
      Use& use = uses[tensor.encoding.dtype];
      use.first = use.tensors++ == 0 ? &tensor : use.first;
    }
  }
  if (uses.size() < 2) {
    return;
  }
  std::vector<std::pair<DType, Use>> sorted(uses.begin(), uses.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second.tensors > b.second.tensors;
  });
  std::string found;
  for (const auto& [dtype, use] : sorted) {
    found += Format("{}{} in {} tensor{}", found.empty() ? "" : ", ", Name(dtype), use.tensors,
                    use.tensors == 1 ? "" : "s");
  }
  const SourceTensor& odd = *sorted.back().second.first;
  Problem problem;
  problem.severity = Severity::kWarning;
  problem.detail = {.file = subject.FileOf(odd),
                    .object = odd.name,
                    .what = "the tensors are of several floating types",
                    .expected = "one type for all",
                    .found = std::move(found),
                    .offset = {},
                    .advice = "convert with --dtype to make them one"};
  problems.push_back(std::move(problem));
}

}  // namespace lbrx
