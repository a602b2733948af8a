// The definition of the bytes. Source: what MLX 0.32.4 writes, on a CPU and by its Metal kernels.
#include "quant/schemes/affine.h"

#include <algorithm>
#include <cmath>

#include "core/tensor/convert.h"
#include "quant/schemes/affine_search.h"
#include "quant/schemes/packing.h"
#include "quant/schemes/rounding.h"

namespace lbrx {
namespace {

constexpr size_t kMaxGroup = 128;

// Rounds to an integer: CPUs half to even, GPUs half away from zero.
float RoundToInteger(float value, MlxRule rule) {
  return rule == MlxRule::kCpu ? std::nearbyint(value) : std::round(value);
}

// MLX's fit of a group and its codes.
AffineFit FitAffineGroup(const float* values, const Encoding& encoding, MlxRule rule,
                         uint8_t* codes) {
  const auto [mn, mx] = std::minmax_element(values, values + encoding.group);
  const AffineFit fit = FitAffine(*mn, *mx, encoding.bits, rule);
  for (size_t i = 0; i < encoding.group; ++i) {
    codes[i] = AffineCode(values[i], fit, encoding.bits, rule);
  }
  return fit;
}

}  // namespace

AffineFit FitAffine(float mn, float mx, int bits, MlxRule rule) {
  if (rule == MlxRule::kMetal) {
    mn = FlushSubnormal(mn);
    mx = FlushSubnormal(std::max(mx, 0.0F));
  }
  const auto top = static_cast<float>((1 << bits) - 1);
  float scale = std::max((mx - mn) / top, kAffineEps);
  if (bits == 1) {
    // Of equal minima mlx on a CPU takes the first; its kernels leave a zero's sign open: +0.
    return {scale, rule == MlxRule::kCpu ? mn : mn + 0.0F};
  }
  const bool use_min = std::fabs(mn) > std::fabs(mx);
  const float edge = use_min ? mn : mx;
  scale = use_min ? scale : -scale;
  // Move the scale so that zero falls on a code and the edge is exact.
  const float zero_code = RoundToInteger(edge / scale, rule);
  if (zero_code == 0.0F) {
    return {scale, 0.0F};
  }
  return {edge / zero_code, edge};
}

uint8_t AffineCode(float value, const AffineFit& fit, int bits, MlxRule rule) {
  const auto top = static_cast<float>((1 << bits) - 1);
  const float code = RoundToInteger((value - fit.bias) / fit.scale, rule);
  if (!(code > 0.0F)) {  // NaN too: 0 / 0 in a constant group beyond 3e31
    return 0;
  }
  return static_cast<uint8_t>(std::min(code, top));
}

void EncodeAffineReference(const EncodeJob& job) {
  const Encoding& encoding = job.encoding;
  const auto fit_and_code = job.options.search ? SearchAffineGroup : FitAffineGroup;
  const size_t group = encoding.group;
  const size_t value_bytes = Info(encoding.dtype).bits / 8;
  float values[kMaxGroup];
  uint8_t codes[kMaxGroup] = {};
  for (uint64_t g = 0; g < job.elements / group; ++g) {
    Convert(encoding.dtype, job.values + g * group * value_bytes, DType::kF32,
            reinterpret_cast<std::byte*>(values), group);
    const AffineFit fit = fit_and_code(values, encoding, job.options.rule, codes);
    PackCodes(codes, group, encoding.bits, job.planes[0] + g * group / 8 * encoding.bits);
    const auto* scale = reinterpret_cast<const std::byte*>(&fit.scale);
    const auto* bias = reinterpret_cast<const std::byte*>(&fit.bias);
    Convert(DType::kF32, scale, encoding.dtype, job.planes[1] + g * value_bytes, 1);
    Convert(DType::kF32, bias, encoding.dtype, job.planes[2] + g * value_bytes, 1);
  }
}

void DecodeAffineReference(const DecodeJob& job) {
  const Encoding& encoding = job.encoding;
  const size_t group = encoding.group;
  const size_t scale_bytes = Info(encoding.dtype).bits / 8;
  const size_t value_bytes = Info(job.dtype).bits / 8;
  float values[kMaxGroup];
  uint8_t codes[kMaxGroup] = {};
  for (uint64_t g = 0; g < job.elements / group; ++g) {
    float scale = 0;
    float bias = 0;
    Convert(encoding.dtype, job.planes[1] + g * scale_bytes, DType::kF32,
            reinterpret_cast<std::byte*>(&scale), 1);
    Convert(encoding.dtype, job.planes[2] + g * scale_bytes, DType::kF32,
            reinterpret_cast<std::byte*>(&bias), 1);
    UnpackCodes(job.planes[0] + g * group / 8 * encoding.bits, group, encoding.bits, codes);
    for (size_t i = 0; i < group; ++i) {
      const float product = RoundToDType(encoding.dtype, static_cast<float>(codes[i]) * scale);
      values[i] = RoundToDType(encoding.dtype, product + bias);
    }
    Convert(DType::kF32, reinterpret_cast<const std::byte*>(values), job.dtype,
            job.values + g * group * value_bytes, group);
  }
}

}  // namespace lbrx
