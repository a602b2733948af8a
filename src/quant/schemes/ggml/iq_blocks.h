// Loops over the blocks of a job, for the IQ types.
#pragma once

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
template <size_t kElements, size_t kBytes, typename Encode>
void EncodeIqBlocks(const EncodeJob& job, const Encode& encode) {
  const auto* values = reinterpret_cast<const float*>(job.values);
  auto* out = reinterpret_cast<uint8_t*>(job.planes[0]);
  for (uint64_t i = 0; i < job.elements; i += kElements) {
    const float* importance =
        job.importance == nullptr ? nullptr : job.importance + i % job.columns;
    encode(values + i, importance, out + i / kElements * kBytes);
  }
}

}  // namespace lbrx
