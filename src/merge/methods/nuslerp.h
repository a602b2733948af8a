// What the forms of nuslerp share: see nuslerp.cc. Private to them.
#pragma once

#include <memory>

#include "merge/method.h"

namespace lbrx {

// The result is (first * x0 + second * x1) / divisor.
struct NuslerpMix {
  float first = 0;
  float second = 0;
  float divisor = 1;
};

// Where the second model counts `t`, by the cosine of the angle between both.
NuslerpMix MixForCosine(double t, double cosine, MergeRounding rounding);

// Lengths below this are taken as this much.
inline constexpr double kNuslerpLeastNorm = 1e-7;

// The cosine from inner products.
double NuslerpCosine(double dot, double square0, double square1);

// With vectors along the first dimension: each column of the others is one.
std::unique_ptr<MergeKernel> MakeNuslerpColumns(const MergeTensor& tensor, double t);

}  // namespace lbrx
