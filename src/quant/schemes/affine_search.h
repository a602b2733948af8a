// Better codes in the same affine format: for each group a grid of scales and biases is tried, the
// best of it refitted by least squares to the codes that it gives, and the pair of least squared
// error kept. MLX's own fit is among those tried, so the error is never larger than MLX's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "quant/codec.h"
#include "quant/schemes/affine.h"

namespace lbrx {

// A trial codes each value as q = round(t), half to even, clamped to [0, top], of the real number
// t = value / scale - bias / scale, and sums r = t - q. Everything is one of f32, multiply-adds are
// fused, sums run over the group in order: so every target gives the same bytes.

// A point of the grid: scale = range * scale; bias = middle + range * bias, where range and middle
// are those of the group's minimum and maximum.
struct AffinePoint {
  float scale;
  float bias;
};

inline constexpr size_t kAffinePoints = 30;
using AffineGrid = std::array<AffinePoint, kAffinePoints>;

AffineGrid AffineSearchGrid(int bits);

inline constexpr int kAffineRefits = 3;
// Smaller scales are not looked at: near there reciprocals overflow and GPUs flush to zero.
inline constexpr float kLeastAffineScale = 1e-30F;

// The fit found for a group of encoding.group values, rounded to encoding.dtype, and its codes.
AffineFit SearchAffineGroup(const float* values, const Encoding& encoding, MlxRule rule,
                            uint8_t* codes);

// EncodeAffine where options.search is set.
void EncodeAffineSearch(const EncodeJob& job);

}  // namespace lbrx
