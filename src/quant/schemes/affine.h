// MLX's affine mode: w = scale * code + bias, scale and bias per group in the values' dtype.
#pragma once

#include <cstdint>

#include "quant/codec.h"

namespace lbrx {

inline constexpr float kAffineEps = 1e-7F;  // the smallest scale before it meets the edge value

// Scale and bias of a group, before they are rounded to the values' dtype: codes come from these.
struct AffineFit {
  float scale;
  float bias;
};

// `mn` and `mx` are the true minimum and maximum of the group.
AffineFit FitAffine(float mn, float mx, int bits, MlxRule rule);
// In [0, 2^bits - 1].
uint8_t AffineCode(float value, const AffineFit& fit, int bits, MlxRule rule);

void EncodeAffineReference(const EncodeJob& job);
void DecodeAffineReference(const DecodeJob& job);
void EncodeAffine(const EncodeJob& job);
void DecodeAffine(const DecodeJob& job);

}  // namespace lbrx
