// Better codes in the same affine format: for each group several ranges are tried, the scale and
// bias of each refitted by least squares to the codes that it gives, and the triple of least
// squared error kept; MLX's own fit is among those tried, so the error is never larger than MLX's.
#pragma once

#include <cstddef>

#include "quant/codec.h"

namespace lbrx {

// Sums over a group of `count` values (a multiple of 32) coded with `scale` and `bias`: what
// decides, and what a refit needs.
struct AffineTrial {
  float squared_error;  // sum of (scale * q + bias - w)^2
  float sum_q;          // q = round((w - bias) / scale), half to even, clamped to [0, top]
  float sum_qq;
  float sum_qw;
};

// Eight partial sums each, added up in one fixed order, so that every target gives the same bits.
AffineTrial TryAffineReference(const float* values, size_t count, float scale, float bias,
                               float top);
// The version on vectors for the SIMD target in use; ask for it once a run.
AffineTrial (*TryAffineForThisCpu())(const float* values, size_t count, float scale, float bias,
                                     float top);

// As EncodeAffine, with the search. The same bytes on every target.
void EncodeAffineSearch(const EncodeJob& job);
void EncodeAffineSearchReference(const EncodeJob& job);

}  // namespace lbrx
