// passthrough: y = scale * x, of one model. For stacking layers of several models.
//
// Source: mergekit.
#include "merge/methods/gram.h"
#include "merge/methods/methods.h"
#include "merge/methods/parameters.h"

namespace lbrx {
namespace {

constexpr MergeParameterInfo kParameters[] = {
    {.name = "scale", .of_member = true, .standard = 1, .summary = "factor of the tensor"},
};

std::unique_ptr<MergeKernel> MakePassthrough(const MergeTensor& tensor) {
  return MakeMixKernel({static_cast<float>(FiniteParameter(tensor, 0, "scale"))}, 1);
}

}  // namespace

const MergeMethod kPassthrough = {.name = "passthrough",
                                  .summary = "one model's tensor as it is",
                                  .reference = "",
                                  .parameters = kParameters,
                                  .base = BaseRole::kNone,
                                  .most_members = 1,
                                  .lone = LoneTensor::kMerge,
                                  .carries = true,
                                  .make = MakePassthrough};

}  // namespace lbrx
