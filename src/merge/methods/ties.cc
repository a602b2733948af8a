// TIES: Resolving Interference When Merging Models, https://arxiv.org/abs/2306.01708.
//
//   delta_m = x_m - base, of which the max(1, int(density * N)) largest magnitudes are kept
//   s = sign of sum_m w_m delta_m, where 0 counts as positive
//   y = base + lambda * sum of w_m delta_m over the members of sign s, divided by the sum of their
//       weights where `normalize`
// Equal magnitudes at the threshold are kept in the order of their indices.
#include <array>

#include "merge/methods/methods.h"
#include "merge/methods/task_vectors.h"

namespace lbrx {
namespace {

constexpr std::array kParameters = {
    kTaskWeightParameter,    kDensityParameter, NormalizeParameter(true),
    RescaleParameter(false), kLambdaParameter,  kInt8MaskParameter,
};

}  // namespace

const MergeMethod kTies = {
    .name = "ties",
    .summary = "largest changes only, those that agree with the sign of the majority",
    .reference = "https://arxiv.org/abs/2306.01708",
    .parameters = kParameters,
    .base = BaseRole::kRequired,
    .lone = LoneTensor::kError,
    .make =
        [](const MergeTensor& tensor) {
          return MakeTaskVectorKernel(
              tensor, {.sparsification = Sparsification::kMagnitude, .consensus = true});
        },
};

}  // namespace lbrx
