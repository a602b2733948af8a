// Model Breadcrumbs: Scaling Multi-Task Model Merging with Sparse Masks,
// https://arxiv.org/abs/2312.06795, and with the consensus of TIES.
//
//   delta_m = x_m - base, N elements; target = int(density * N), n_top = int(gamma * N),
//   n_bot = max(0, N - target - n_top); of the magnitudes in ascending order (equal ones in that of
//   their indices) those at [n_bot, n_bot + target) are kept
//   y = base + lambda * sum_m w_m delta_m, divided by sum_m w_m where `normalize`;
//   breadcrumbs_ties: of the members that agree with the sign of that sum only
// `gamma` is the paper's beta.
#include <array>

#include "merge/methods/methods.h"
#include "merge/methods/task_vectors.h"

namespace lbrx {
namespace {

constexpr std::array kParameters = {
    kTaskWeightParameter,
    kDensityParameter,
    MergeParameterInfo{.name = "gamma",
                       .of_member = true,
                       .standard = 0.01,
                       .summary = "share of the largest changes that is dropped"},
    NormalizeParameter(false),
    RescaleParameter(false),
    kLambdaParameter,
    kInt8MaskParameter,
};

std::unique_ptr<MergeKernel> Make(const MergeTensor& tensor, bool consensus) {
  return MakeTaskVectorKernel(
      tensor, {.sparsification = Sparsification::kOutliers, .consensus = consensus});
}

}  // namespace

const MergeMethod kBreadcrumbs = {
    .name = "breadcrumbs",
    .summary = "task vectors without their smallest and their very largest changes",
    .reference = "https://arxiv.org/abs/2312.06795",
    .parameters = kParameters,
    .base = BaseRole::kRequired,
    .lone = LoneTensor::kError,
    .make = [](const MergeTensor& tensor) { return Make(tensor, false); },
};

const MergeMethod kBreadcrumbsTies = {
    .name = "breadcrumbs_ties",
    .summary = "breadcrumbs, those that agree with the sign of the majority",
    .reference = "https://arxiv.org/abs/2312.06795",
    .parameters = kParameters,
    .base = BaseRole::kRequired,
    .lone = LoneTensor::kError,
    .make = [](const MergeTensor& tensor) { return Make(tensor, true); },
};

}  // namespace lbrx
