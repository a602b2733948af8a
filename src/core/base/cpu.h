// Which SIMD instructions to use. One table for every kernel of the house (simd.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lbrx {

// Highway's target bit (HWY_AVX2, HWY_AVX3...) that kernels shall use: the best that this CPU has,
// unless a test forced another one; 0 = the scalar reference.
int64_t SimdTarget();
// All Highway targets that were compiled in and this CPU can run, best first; 0 (= scalar
// reference) is not among them.
std::vector<int64_t> SupportedSimdTargets();

// For ForceSimdTarget: the scalar reference everywhere.
constexpr int64_t kForceScalar = -1;

// Forces `target` (one of SupportedSimdTargets(), or kForceScalar); 0 = the best again. For tests.
void ForceSimdTarget(int64_t target);
std::string SimdTargetName(int64_t target);  // "AVX2"; 0 is "scalar"

}  // namespace lbrx
