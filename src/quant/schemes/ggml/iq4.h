// IQ4_NL and IQ4_XS: 4-bit codes of sixteen unequal steps.
#pragma once

#include <array>

#include "quant/codec.h"
#include "quant/schemes/ggml/iq_layout.h"

namespace lbrx {

inline constexpr size_t kIq4Group = 32;  // elements that share a scale
inline constexpr size_t kIq4NlBytes = 18;
inline constexpr size_t kIq4XsBytes = 136;

// The values of the codes.
inline constexpr std::array<int8_t, 16> kIq4Steps = {-127, -104, -83, -65, -49, -35, -22, -10,
                                                     1,    13,   25,  38,  53,  69,  89,  113};

// Where the nearest step changes: the middle between a step and the next, which takes the tie.
inline constexpr std::array<float, 15> kIq4Ties = [] {
  std::array<float, 15> ties{};
  for (size_t i = 0; i < ties.size(); ++i) {
    ties[i] = 0.5F * static_cast<float>(kIq4Steps[i] + kIq4Steps[i + 1]);
  }
  return ties;
}();

inline constexpr float kIq4Least = 1e-15F;  // groups whose maximum is below are zeros
inline constexpr int kIq4Tries = 7;         // scales tried on each side of that of the maximum

// IQ4_XS: the parts of the groups' scales, which are stored plus 32; codes follow them.
inline constexpr IqField kIq4ScaleHigh = {2, 2, 8, 2, 2};
inline constexpr IqField kIq4ScaleLow = {4, 1, 2, 4, 4};
inline constexpr size_t kIq4XsCodes = 8;

// As weights of errors have it: twice the mean square of the values that share d.
float Iq4MeanSquare(const float* x, size_t count);
// IQ4_XS: writes the scales of a block's groups and d, which precede the codes; `scales` become
// those that codes are made with (d is not rounded yet).
void PutIq4XsScales(float* scales, uint8_t* block);

void EncodeIq4Nl(const EncodeJob& job);
void EncodeIq4Xs(const EncodeJob& job);

void EncodeIq4NlReference(const EncodeJob& job);
void EncodeIq4XsReference(const EncodeJob& job);
void DecodeIq4NlReference(const DecodeJob& job);
void DecodeIq4XsReference(const DecodeJob& job);

}  // namespace lbrx
