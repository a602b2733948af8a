// DELLA-Merging: Reducing Interference in Model Merging through Magnitude-Based Sampling,
// https://arxiv.org/abs/2406.11617.
//
//   delta_m = x_m - base; in each row of n elements (a vector is one row) the element of rank r by
//   magnitude, from 0 for the smallest, is kept with probability
//     density_m - epsilon_m + 2 epsilon_m r / (n - 1);
//   the rest times L1(before) / L1(after) of the whole tensor where `rescale` (the paper: each
//   element times 1 / its probability)
//   y = base + lambda * sum of w_m delta_m over the members that agree with the sign of the sum of
//   all, divided by the sum of their weights where `normalize`; della_linear: over all members
#include <array>

#include "merge/methods/methods.h"
#include "merge/methods/task_vectors.h"

namespace lbrx {
namespace {

constexpr MergeParameterInfo kEpsilonParameter = {
    .name = "epsilon",
    .of_member = true,
    .standard = 0.15,
    .summary = "how much likelier the largest changes are kept than by density alone",
};

constexpr std::array kParameters = {
    kTaskWeightParameter,   kDensityParameter, kEpsilonParameter,  NormalizeParameter(true),
    RescaleParameter(true), kLambdaParameter,  kInt8MaskParameter,
};
constexpr std::array kLinearParameters = {
    kTaskWeightParameter,   kDensityParameter, kEpsilonParameter,  NormalizeParameter(false),
    RescaleParameter(true), kLambdaParameter,  kInt8MaskParameter,
};

std::unique_ptr<MergeKernel> Make(const MergeTensor& tensor, bool consensus) {
  return MakeTaskVectorKernel(
      tensor, {.sparsification = Sparsification::kRankedRandom, .consensus = consensus});
}

uint64_t DrawsOf(const MergeTensor& tensor) {
  return DrawsOfMembers(Sparsification::kRankedRandom, tensor, tensor.members.size());
}

}  // namespace

const MergeMethod kDella = {
    .name = "della",
    .summary = "task vectors thinned at random by magnitude, those that agree with the majority",
    .reference = "https://arxiv.org/abs/2406.11617",
    .parameters = kParameters,
    .base = BaseRole::kRequired,
    .lone = LoneTensor::kError,
    .make = [](const MergeTensor& tensor) { return Make(tensor, true); },
    .draws = DrawsOf,
};

const MergeMethod kDellaLinear = {
    .name = "della_linear",
    .summary = "task vectors thinned at random by magnitude",
    .reference = "https://arxiv.org/abs/2406.11617",
    .parameters = kLinearParameters,
    .base = BaseRole::kRequired,
    .lone = LoneTensor::kError,
    .make = [](const MergeTensor& tensor) { return Make(tensor, false); },
    .draws = DrawsOf,
};

}  // namespace lbrx
