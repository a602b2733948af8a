// The definition of the bytes. Source: what MLX 0.32.4 writes, on a CPU and by its Metal kernels.
#include "quant/schemes/microscale.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/tensor/convert.h"
#include "quant/schemes/packing.h"
#include "quant/schemes/rounding.h"

namespace lbrx {
namespace {

constexpr size_t kMaxGroup = 32;
constexpr float kMaxE2M1 = 6.0F;
constexpr float kMaxE4M3 = 448.0F;

// Exponent of the smallest power of two that is at least `value` (positive, finite).
int CeilLog2(float value) {
  int exponent = 0;
  const float mantissa = std::frexp(value, &exponent);  // in [0.5, 1)
  return mantissa == 0.5F ? exponent - 1 : exponent;
}

bool TwoPower(const Encoding& encoding) {
  return encoding.scheme != Scheme::kNvfp4;
}

MicroscaleFit FitMetal(const Encoding& encoding, float amax) {
  const float ratio = FlushSubnormal(amax) / (encoding.bits == 8 ? kMaxE4M3 : kMaxE2M1);
  if (!TwoPower(encoding)) {
    const uint8_t byte = FloatToF8E4M3(ratio);
    return {byte, byte == 0 ? 0.0F : 1.0F / F8E4M3ToFloat(byte)};
  }
  if (FlushSubnormal(ratio) == 0.0F) {
    return {0, 0.0F};
  }
  const int exponent = CeilLog2(ratio);
  return {static_cast<uint8_t>(exponent + 127), std::ldexp(1.0F, -exponent)};
}

MicroscaleFit FitCpu(const Encoding& encoding, float amax) {
  const float ratio =
      RoundToDType(encoding.dtype, amax / (encoding.bits == 8 ? kMaxE4M3 : kMaxE2M1));
  if (!TwoPower(encoding)) {
    const uint8_t byte = FloatToF8E4M3(ratio);
    return {byte, F8E4M3ToFloat(byte)};
  }
  const int exponent = ratio == 0.0F ? 0 : CeilLog2(ratio);
  // Below 2^-127 the byte wraps, as MLX's does.
  return {static_cast<uint8_t>(exponent + 127), std::ldexp(1.0F, exponent)};
}

// Round to nearest, ties to the even code; saturating.
uint8_t EvenE2M1(float value) {
  constexpr float kUp[7] = {0.25F, 0.75F, 1.25F, 1.75F, 2.5F, 3.5F, 5.0F};  // ties
  const float magnitude = std::fabs(value);
  uint8_t code = 0;
  for (int i = 0; i < 7; ++i) {
    const bool above = i % 2 == 0 ? magnitude > kUp[i] : magnitude >= kUp[i];
    code = static_cast<uint8_t>(code + (above ? 1 : 0));
  }
  return static_cast<uint8_t>(code | (std::signbit(value) ? 8 : 0));
}

// The entry with the smallest distance as f32 computes it; of equals the first in the order of
// codes, so ties go toward zero and whatever rounds to zero becomes +0. Beyond 2^24 distances
// collide: 2^27 gives 0.
uint8_t NearestE2M1(float value) {
  uint8_t best = 0;
  float least = std::numeric_limits<float>::infinity();
  for (uint8_t code = 0; code < 16; ++code) {
    const float distance = std::fabs(value - F4ToFloat(code));
    if (distance < least) {
      least = distance;
      best = code;
    }
  }
  return best;
}

float CpuQuotient(DType dtype, float value, float scale) {
  return RoundToDType(dtype, value / scale);
}

}  // namespace

MicroscaleFit FitMicroscale(const Encoding& encoding, float amax, MlxRule rule) {
  return rule == MlxRule::kMetal ? FitMetal(encoding, amax) : FitCpu(encoding, amax);
}

uint8_t MicroscaleCode(const Encoding& encoding, float value, const MicroscaleFit& fit,
                       MlxRule rule) {
  if (rule == MlxRule::kMetal) {
    const float scaled = FlushSubnormal(value) * fit.factor;
    return encoding.bits == 8 ? FloatToF8E4M3(scaled) : EvenE2M1(scaled);
  }
  if (fit.factor == 0.0F) {  // nvfp4 only
    return 0;
  }
  const float scaled = CpuQuotient(encoding.dtype, value, fit.factor);
  return encoding.bits == 8 ? FloatToF8E4M3(scaled) : NearestE2M1(scaled);
}

float MicroscaleValue(const Encoding& encoding, uint8_t byte) {
  if (!TwoPower(encoding)) {
    return F8E4M3ToFloat(byte);
  }
  if (byte == 255) {  // MLX computes 2^128 where E8M0 has its NaN
    return std::numeric_limits<float>::infinity();
  }
  return RoundToDType(encoding.dtype, F8E8M0ToFloat(byte));
}

const float* MicroscaleValues(const Encoding& encoding) {
  using Table = std::array<float, 256>;
  const auto fill = [](Scheme scheme, DType dtype) {
    Table table{};
    for (size_t byte = 0; byte < table.size(); ++byte) {
      table[byte] = MicroscaleValue({scheme, 0, 0, dtype}, static_cast<uint8_t>(byte));
    }
    return table;
  };
  static const Table e4m3 = fill(Scheme::kNvfp4, DType::kF32);
  static const Table e8m0 = fill(Scheme::kMxfp4, DType::kF32);  // BF16 holds them, too
  static const Table e8m0_f16 = fill(Scheme::kMxfp4, DType::kF16);
  if (!TwoPower(encoding)) {
    return e4m3.data();
  }
  return encoding.dtype == DType::kF16 ? e8m0_f16.data() : e8m0.data();
}

void EncodeMicroscaleReference(const EncodeJob& job) {
  const Encoding& encoding = job.encoding;
  const size_t group = encoding.group;
  const size_t value_bytes = Info(encoding.dtype).bits / 8;
  float values[kMaxGroup];
  uint8_t codes[kMaxGroup] = {};
  for (uint64_t g = 0; g < job.elements / group; ++g) {
    Convert(encoding.dtype, job.values + g * group * value_bytes, DType::kF32,
            reinterpret_cast<std::byte*>(values), group);
    float amax = 0;
    for (size_t i = 0; i < group; ++i) {
      amax = std::max(amax, std::fabs(values[i]));
    }
    const MicroscaleFit fit = FitMicroscale(encoding, amax, job.options.rule);
    for (size_t i = 0; i < group; ++i) {
      codes[i] = MicroscaleCode(encoding, values[i], fit, job.options.rule);
    }
    PackCodes(codes, group, encoding.bits, job.planes[0] + g * group / 8 * encoding.bits);
    job.planes[1][g] = static_cast<std::byte>(fit.byte);
  }
}

void DecodeMicroscaleReference(const DecodeJob& job) {
  const Encoding& encoding = job.encoding;
  const size_t group = encoding.group;
  const size_t value_bytes = Info(job.dtype).bits / 8;
  float values[kMaxGroup];
  uint8_t codes[kMaxGroup] = {};
  for (uint64_t g = 0; g < job.elements / group; ++g) {
    const float scale = MicroscaleValue(encoding, static_cast<uint8_t>(job.planes[1][g]));
    UnpackCodes(job.planes[0] + g * group / 8 * encoding.bits, group, encoding.bits, codes);
    for (size_t i = 0; i < group; ++i) {
      const float element = encoding.bits == 8 ? F8E4M3ToFloat(codes[i]) : F4ToFloat(codes[i]);
      values[i] = RoundToDType(encoding.dtype, element * scale);
    }
    Convert(DType::kF32, reinterpret_cast<const std::byte*>(values), job.dtype,
            job.values + g * group * value_bytes, group);
  }
}

}  // namespace lbrx
