// DARE: Language Models are Super Mario, https://arxiv.org/abs/2311.03099, and with the consensus
// of TIES.
//
//   delta_m = x_m - base, of which each element is kept with probability density_m; the rest times
//   L1(before) / L1(after) of the whole tensor where `rescale` (the paper: times 1 / density)
//   y = base + lambda * sum_m w_m delta_m, divided by sum_m w_m where `normalize`;
//   dare_ties: of the members that agree with the sign of that sum only
#include <array>

#include "merge/methods/methods.h"
#include "merge/methods/task_vectors.h"

namespace lbrx {
namespace {

constexpr std::array kParameters = {
    kTaskWeightParameter,   kDensityParameter, NormalizeParameter(false),
    RescaleParameter(true), kLambdaParameter,  kInt8MaskParameter,
};

std::unique_ptr<MergeKernel> Make(const MergeTensor& tensor, bool consensus) {
  return MakeTaskVectorKernel(tensor,
                              {.sparsification = Sparsification::kRandom, .consensus = consensus});
}

uint64_t DrawsOf(const MergeTensor& tensor) {
  return DrawsOfMembers(Sparsification::kRandom, tensor, tensor.members.size());
}

}  // namespace

const MergeMethod kDareLinear = {
    .name = "dare_linear",
    .summary = "task vectors thinned at random",
    .reference = "https://arxiv.org/abs/2311.03099",
    .parameters = kParameters,
    .base = BaseRole::kRequired,
    .lone = LoneTensor::kError,
    .make = [](const MergeTensor& tensor) { return Make(tensor, false); },
    .draws = DrawsOf,
};

const MergeMethod kDareTies = {
    .name = "dare_ties",
    .summary = "task vectors thinned at random, those that agree with the sign of the majority",
    .reference = "https://arxiv.org/abs/2311.03099",
    .parameters = kParameters,
    .base = BaseRole::kRequired,
    .lone = LoneTensor::kError,
    .make = [](const MergeTensor& tensor) { return Make(tensor, true); },
    .draws = DrawsOf,
};

}  // namespace lbrx
