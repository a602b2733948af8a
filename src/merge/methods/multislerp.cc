// multislerp: interpolation of any number of models on the sphere. Of tensors x_m (less the base's
// where there is a base), each seen as one vector, with weights w_m:
//
//   u_m = x_m / (|x_m| + eps);  M = |sum_m w_m u_m|;  mu = sum_m w_m u_m / M
//   tau = sum_m w_m (u_m - <u_m, mu> mu);  s = |tau| + eps
//   y = (cos(s) mu + sin(s)/s tau) * sum_m w_m |x_m|   (+ base)
//
// tau is 0 by its definition (its two sums both are M mu), so y = cos(eps) mu * sum_m w_m |x_m|: a
// sum of the x_m, whose coefficients need inner products alone. Where M < eps, two tensors are
// mixed by their weights and more are refused.
//
// Source: Goddard, https://goddard.blog/posts/multislerp-wow-what-a-cool-idea
// Under --compat it is computed in the same way: rounded to the working dtype, tau is what rounding
// leaves.
#include <cmath>

#include "merge/methods/gram.h"
#include "merge/methods/methods.h"
#include "merge/methods/parameters.h"

namespace lbrx {
namespace {

// Of the units' sum, below which it is nothing but rounding: float64 knows its square to 1e-15.
constexpr double kNoise = 1e-7;

constexpr MergeParameterInfo kParameters[] = {
    {.name = "weight",
     .of_member = true,
     .required = true,
     .summary = "how much of this model goes in"},
    {.name = "normalize_weights",
     .kind = MergeParameterInfo::Kind::kBoolean,
     .standard = 1,
     .summary = "divide weights by their sum"},
    {.name = "eps", .standard = 1e-8, .summary = "added to norms"},
};

struct Multislerp {
  std::string tensor;
  std::vector<double> weights;
  double eps = 0;

  std::vector<double> operator()(const Gram& gram) const {
    const size_t size = gram.size();
    std::vector<double> units(size);  // w_m u_m as multiples of x_m
    double length = 0;
    double most = 0;  // that M can be
    for (size_t i = 0; i < size; ++i) {
      const double norm = gram.Norm(i);
      units[i] = norm + eps == 0 ? 0 : weights[i] / (norm + eps);
      length += weights[i] * norm;
      most += std::abs(units[i]) * norm;
    }
    const double mean = std::sqrt(gram.SquaredNorm(units));
    if (mean < eps || mean <= kNoise * most) {
      if (size == 2) {
        return weights;
      }
      RefuseTensor(tensor, "the models' directions cancel out, so that multislerp has no mean",
                   "change the weights");
    }
    for (double& unit : units) {
      unit *= std::cos(eps) * length / mean;
    }
    return units;
  }
};

std::unique_ptr<MergeKernel> MakeMultislerp(const MergeTensor& tensor) {
  Multislerp coefficients{.tensor = tensor.name,
                          .weights = FiniteParameters(tensor, "weight"),
                          .eps = ParameterFrom(tensor, "eps", 0)};
  if (tensor.members.size() == 1) {
    return MakeMixKernel({1}, 1);
  }
  if (tensor.parameters.Flag("normalize_weights")) {
    const double sum = NonZeroSum(tensor, "weight", coefficients.weights);
    for (double& weight : coefficients.weights) {
      weight /= sum;
    }
  }
  return MakeGramKernel(tensor, tensor.has_base ? VectorsOf::kDeltas : VectorsOf::kMembers,
                        std::move(coefficients));
}

}  // namespace

const MergeMethod kMultislerp = {
    .name = "multislerp",
    .summary = "spherical interpolation of several models",
    .reference = "https://goddard.blog/posts/multislerp-wow-what-a-cool-idea",
    .parameters = kParameters,
    .base = BaseRole::kOptional,
    .lone = LoneTensor::kMerge,
    .make = MakeMultislerp};

}  // namespace lbrx
