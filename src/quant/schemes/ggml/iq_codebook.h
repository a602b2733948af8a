// IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS and IQ3_S: magnitudes of eight or four elements as one point of a
// grid, signs apart. 16 or 32 elements, a run, share a scale.
#pragma once

#include <algorithm>

#include "quant/codec.h"
#include "quant/schemes/ggml/iq_blocks.h"
#include "quant/schemes/ggml/iq_layout.h"

namespace lbrx {

// Which groups are rounded again with the scale that was found.
enum class IqRefit : uint8_t {
  kAll,
  kAllOrNone,  // all if any was rounded to a string that is no point
  kMoved,      // those that were
};

// How an encoder looks for scale and points.
struct IqRule {
  IqLayout layout;
  int tries;  // scales tried on each side of the first
  float step;
  IqRefit refit;
  bool fitted;   // tries stand about the scale of a first fit, not about that of the maximum
  float least;   // runs whose maximum is below are zeros
  float spread;  // weights: importance * sqrt(spread * mean square + x^2)
  float floor;   // weights without importance: floor * mean square + x^2
  float stored;  // the factor of d as stored
  // GGML's IQ3_S encoder leaves no room for runs of zeros: the low bits of indices and the signs of
  // later runs move up, and such blocks decode to something else. Its bytes are given all the same.
  bool closes_up = false;
};

inline constexpr IqRule kIq2XxsRule = {
    kIq2XxsLayout, 6, 0.1F, IqRefit::kAll, true, 1e-15F, 1, 0, 1};
inline constexpr IqRule kIq2XsRule = {
    kIq2XsLayout, 9, 0.1F, IqRefit::kMoved, false, 1e-15F, 1, 0, 1};
inline constexpr IqRule kIq2SRule = {kIq2SLayout, 9, 0.1F,  IqRefit::kMoved, false,
                                     1e-8F,       2, 0.25F, 0.9875F};
inline constexpr IqRule kIq3XxsRule = {kIq3XxsLayout, 15, 0.2F, IqRefit::kMoved, false,
                                       1e-8F,         2,  0,    1.0125F};
// IQ3_S: the least number above zero.
inline constexpr IqRule kIq3SRule = {
    kIq3SLayout, 9, 0.2F, IqRefit::kAllOrNone, false, 0x1p-149F, 2, 0, 1.033F, true};

inline constexpr size_t kMaxIqRun = 32;
inline constexpr size_t kMaxIqGroups = 8;

// A block's magnitudes, the weights of their errors and their signs (a bit each, set: negative).
struct IqParts {
  alignas(32) float x[kIqBlock];
  alignas(32) float w[kIqBlock];
  uint8_t signs[kIqBlock / 8];
};

// What weights are made of: importance * sqrt(mean_square + x^2), or floor + x^2 without.
struct IqWeights {
  const float* importance;  // nullptr: none
  float mean_square;
  float floor;
};

// Elements that share a scale.
struct IqRun {
  const float* x;  // negative where a sign was flipped for parity
  const float* w;
};

struct IqFit {
  float scale;
  uint16_t words[kMaxIqGroups];  // points
};

struct IqKernels {
  void (*split)(const float* values, const IqWeights& weights, IqParts& parts);
  // Finds scale and points. False: the run counts as zeros.
  bool (*find)(const IqRun& run, IqFit& fit);
};

// The digits of a group that stand nearest to its magnitudes, a point or not, with the inverse of a
// scale. Any magnitudes and scale: what IqRound makes of numbers beyond its range is meant.
template <IqGrid kGrid>
uint32_t IqString(const float* x, float inverse) {
  constexpr int kBits = IqDigitBits(kGrid);
  constexpr int kLast = kBits == 3 ? 7 : 2;
  uint32_t word = 0;
  for (int i = 0; i < IqDigits(kGrid); ++i) {
    const int digit = std::clamp(IqRound(0.5F * (inverse * x[i] - 1)), 0, kLast);
    word |= static_cast<uint32_t>(digit) << (kBits * i);
  }
  return word;
}

// IQ2_XXS's first fit: the scale of the codes 0 to 4 that come nearest to magnitudes, found by a
// few tries and by changing single codes.
float FitIqPositiveReference(const IqRun& run);

// The rule of a scheme of this family.
const IqRule& IqRuleOf(Scheme scheme);

// The definition; for each of the rules above.
void SplitIqReference(const float* values, const IqWeights& weights, IqParts& parts);
template <const IqRule& kRule>
bool FindIqFitReference(const IqRun& run, IqFit& fit);

void EncodeIqCodebookWith(const EncodeJob& job, const IqKernels& kernels);

void DecodeIqCodebook(const DecodeJob& job);
void DecodeIqCodebookReference(const DecodeJob& job);
void EncodeIqCodebook(const EncodeJob& job);
void EncodeIqCodebookReference(const EncodeJob& job);

}  // namespace lbrx
