// What the IQ types share: scales, rounding, loops over the blocks of a job.
#pragma once

#include <bit>
#include <cstring>

#include "core/tensor/convert.h"
#include "quant/codec.h"
#include "quant/schemes/through_floats.h"

namespace lbrx {

inline float IqHalf(const uint8_t* at) {
  uint16_t bits = 0;
  std::memcpy(&bits, at, sizeof(bits));
  return F16ToFloat(bits);
}

inline void PutIqHalf(uint8_t* at, float value) {
  const uint16_t bits = FloatToF16(value);
  std::memcpy(at, &bits, sizeof(bits));
}

// To the nearest integer, ties to even, as GGML does it: through the mantissa of a sum. What is not
// within 2^22 gives the reference's nonsense, which is negative for infinities.
inline int IqRound(float value) {
  return static_cast<int>(std::bit_cast<uint32_t>(value + 12582912.0F) & 0x7FFFFF) - 0x400000;
}

// `kDecode(block, values)`: the block's elements.
template <size_t kElements, size_t kBytes, void (*kDecode)(const uint8_t*, float*)>
void DecodeIqBlocks(const DecodeJob& job) {
  if (job.dtype != DType::kF32) {
    DecodeThroughFloats(job, DecodeIqBlocks<kElements, kBytes, kDecode>);
    return;
  }
  const auto* in = reinterpret_cast<const uint8_t*>(job.planes[0]);
  auto* out = reinterpret_cast<float*>(job.values);
  for (uint64_t i = 0; i < job.elements / kElements; ++i) {
    kDecode(in + i * kBytes, out + i * kElements);
  }
}

// `encode(values, importance, block)`; importance of the block's columns, or nullptr.
template <typename Encode>
void EncodeIqBlocks(const EncodeJob& job, size_t elements, size_t bytes, const Encode& encode) {
  const auto* values = reinterpret_cast<const float*>(job.values);
  auto* out = reinterpret_cast<uint8_t*>(job.planes[0]);
  for (uint64_t i = 0; i < job.elements; i += elements) {
    const float* importance =
        job.importance == nullptr ? nullptr : job.importance + i % job.columns;
    encode(values + i, importance, out + i / elements * bytes);
  }
}

}  // namespace lbrx
