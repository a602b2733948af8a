// linear: y = sum_m w_m x_m, divided by sum_m w_m where weights are normalized.
//
// Source: Wortsman et al., "Model soups", arXiv 2203.05482. mergekit 0.1.5 computes it in float32
// whatever the dtype of the models is, with fused multiply-add, and rounds once: as it is done
// here, so that there is nothing to do for `rounding`.
#include "merge/methods/gram.h"
#include "merge/methods/methods.h"
#include "merge/methods/parameters.h"

namespace lbrx {
namespace {

constexpr MergeParameterInfo kParameters[] = {
    {.name = "weight",
     .of_member = true,
     .required = true,
     .summary = "how much of this model goes in"},
    {.name = "normalize",
     .kind = MergeParameterInfo::Kind::kBoolean,
     .standard = 1,
     .summary = "divide by the sum of weights"},
};

std::unique_ptr<MergeKernel> MakeLinear(const MergeTensor& tensor) {
  const std::vector<double> weights = FiniteParameters(tensor, "weight");
  std::vector<float> coefficients(weights.begin(), weights.end());
  if (!tensor.parameters.Flag("normalize")) {
    return MakeMixKernel(std::move(coefficients), 1);
  }
  auto divisor = static_cast<float>(NonZeroSum(tensor, "weight", weights));
  if (tensor.compat) {
    divisor = 0;
    for (float coefficient : coefficients) {
      divisor += coefficient;
    }
  }
  return MakeMixKernel(std::move(coefficients), divisor);
}

}  // namespace

const MergeMethod kLinear = {.name = "linear",
                             .summary = "weighted average",
                             .reference = "https://arxiv.org/abs/2203.05482",
                             .parameters = kParameters,
                             .base = BaseRole::kNone,
                             .lone = LoneTensor::kMerge,
                             .cuts_to_common = true,
                             .make = MakeLinear};

}  // namespace lbrx
