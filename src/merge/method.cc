#include "merge/method.h"

#include <algorithm>

#include "core/base/checked.h"
#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

// Long enough that what a piece costs beside its elements does not count, short enough that threads
// finish a pass at nearly the same time.
constexpr uint64_t kPieceElements = uint64_t{512} << 10;

}  // namespace

void MergeParameters::Set(std::string_view name, double value) {
  for (auto& [known, held] : values_) {
    if (known == name) {
      held = value;
      return;
    }
  }
  values_.emplace_back(name, value);
}

bool MergeParameters::Has(std::string_view name) const {
  return std::any_of(values_.begin(), values_.end(),
                     [&](const auto& entry) { return entry.first == name; });
}

double MergeParameters::Get(std::string_view name) const {
  for (const auto& [known, value] : values_) {
    if (known == name) {
      return value;
    }
  }
  throw Error(ErrorCode::kInternal, Format("parameter '{}' of a merge was not set", name));
}

MergePieces CutIntoPieces(uint64_t elements, uint64_t granule) {
  const uint64_t piece = RoundUp(kPieceElements, std::max<uint64_t>(granule, 1));
  return {.elements = piece, .count = static_cast<size_t>(CeilDiv(elements, piece))};
}

void MergeKernel::Observe(int /*pass*/, size_t /*piece*/, MergeTiles& /*tiles*/) {}

void MergeKernel::FinishPass(int /*pass*/) {}

uint64_t MergeKernel::StateBytes(unsigned /*threads*/) const {
  return 0;
}

}  // namespace lbrx
