// The family of task arithmetic: what a model was changed by since its base, thinned, weighted and
// added to the base.
#pragma once

#include <memory>
#include <span>

#include "merge/method.h"
#include "merge/methods/sparsify.h"

namespace lbrx {

// For every member m: delta_m = x_m - base, thinned by the sparsifier, times weight_m. With
// `consensus` (TIES, https://arxiv.org/abs/2306.01708) only those count whose sign is that of the
// sum of all. y = base + lambda * sum(delta_m), divided by the sum of the weights that count where
// `normalize`.
struct TaskVectorScheme {
  Sparsification sparsification = Sparsification::kNone;
  bool consensus = false;
};

// Throws Error (kInvalid) for parameters out of range.
std::unique_ptr<MergeKernel> MakeTaskVectorKernel(const MergeTensor& tensor,
                                                  const TaskVectorScheme& scheme);

// Throws kInvalid where the tensor has no base, which methods of task vectors need.
void RequireBase(const MergeTensor& tensor);

// Their parameters; `normalize` and `rescale` by default.
constexpr MergeParameterInfo NormalizeParameter(bool standard) {
  return {.name = "normalize",
          .kind = MergeParameterInfo::Kind::kBoolean,
          .standard = standard ? 1.0 : 0.0,
          .summary = "divide by the sum of the weights that count"};
}

constexpr MergeParameterInfo RescaleParameter(bool standard) {
  return {.name = "rescale",
          .kind = MergeParameterInfo::Kind::kBoolean,
          .standard = standard ? 1.0 : 0.0,
          .summary = "scale what thinning leaves to the L1 norm before"};
}

inline constexpr MergeParameterInfo kInt8MaskParameter = {
    .name = "int8_mask",
    .kind = MergeParameterInfo::Kind::kBoolean,
    .summary = "accepted, without effect: it saves memory in mergekit"};
inline constexpr MergeParameterInfo kLambdaParameter = {
    .name = "lambda", .standard = 1, .summary = "factor of the sum of task vectors"};
inline constexpr MergeParameterInfo kTaskWeightParameter = {
    .name = "weight", .of_member = true, .required = true, .summary = "factor of a task vector"};
inline constexpr MergeParameterInfo kDensityParameter = {
    .name = "density",
    .of_member = true,
    .standard = 1,
    .summary = "share of a task vector that is kept; 1 keeps all of it"};

}  // namespace lbrx
