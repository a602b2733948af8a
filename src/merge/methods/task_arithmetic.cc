// Task arithmetic: Editing Models with Task Arithmetic, https://arxiv.org/abs/2212.04089.
//
//   y = base + lambda * sum_m w_m (x_m - base), the sum divided by sum_m w_m where `normalize`
#include <array>

#include "merge/methods/methods.h"
#include "merge/methods/task_vectors.h"

namespace lbrx {
namespace {

constexpr std::array kParameters = {
    kTaskWeightParameter,    kDensityParameter, NormalizeParameter(false),
    RescaleParameter(false), kLambdaParameter,  kInt8MaskParameter,
};

}  // namespace

const MergeMethod kTaskArithmetic = {
    .name = "task_arithmetic",
    .summary = "weighted sum of task vectors, added to the base",
    .reference = "https://arxiv.org/abs/2212.04089",
    .parameters = kParameters,
    .base = BaseRole::kRequired,
    .lone = LoneTensor::kError,
    .make = [](const MergeTensor& tensor) { return MakeTaskVectorKernel(tensor, {}); },
};

}  // namespace lbrx
