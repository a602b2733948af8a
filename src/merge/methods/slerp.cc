// slerp: spherical interpolation from the base b to the other model x along the great circle
// through both, each seen as one vector:
//
//   cos(th) = <b, x> / (|b| |x|)
//   y = (sin((1-t) th) b + sin(t th) x) / sin(th)
//
// Where |cos(th)| > 0.9995 the plain mix (1-t) b + t x takes its place. A vector of norm 1e-8 or
// less is not normalized.
//
// Source: Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985; thresholds as in
// mergekit. mergekit 0.1.5 computes in float32 whatever the dtype of the models is and rounds once.
#include <algorithm>
#include <cmath>

#include "merge/methods/gram.h"
#include "merge/methods/methods.h"
#include "merge/methods/parameters.h"

namespace lbrx {
namespace {

constexpr double kAlmostParallel = 0.9995;
constexpr double kTinyNorm = 1e-8;

constexpr MergeParameterInfo kParameters[] = {
    {.name = "t", .required = true, .summary = "0: the base, 1: the other model"},
};

std::vector<double> Coefficients(double t, const Gram& gram) {
  const auto length = [&gram](size_t i) { return gram.Norm(i) > kTinyNorm ? gram.Norm(i) : 1; };
  const double cosine = std::clamp(gram.at(0, 1) / (length(0) * length(1)), -1.0, 1.0);
  if (std::abs(cosine) > kAlmostParallel) {
    return {1 - t, t};
  }
  const double angle = std::acos(cosine);
  return {std::sin((1 - t) * angle) / std::sin(angle), std::sin(t * angle) / std::sin(angle)};
}

std::unique_ptr<MergeKernel> MakeSlerp(const MergeTensor& tensor) {
  const double given = FiniteParameter(tensor, "t");
  const double t = tensor.compat ? static_cast<float>(given) : given;
  return MakeGramKernel(tensor, VectorsOf::kBaseAndMembers,
                        [t](const Gram& gram) { return Coefficients(t, gram); });
}

}  // namespace

const MergeMethod kSlerp = {.name = "slerp",
                            .summary = "spherical interpolation of two models",
                            .reference = "https://en.wikipedia.org/wiki/Slerp",
                            .parameters = kParameters,
                            .base = BaseRole::kRequired,
                            .most_members = 1,
                            .lone = LoneTensor::kAsItIs,
                            .cuts_to_common = true,
                            .make = MakeSlerp};

}  // namespace lbrx
