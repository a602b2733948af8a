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

// IQ4_XS: the parts of the groups' scales, which are stored plus 32; codes follow them.
inline constexpr IqField kIq4ScaleHigh = {2, 2, 8, 2, 2};
inline constexpr IqField kIq4ScaleLow = {4, 1, 2, 4, 4};
inline constexpr size_t kIq4XsCodes = 8;

void DecodeIq4NlReference(const DecodeJob& job);
void DecodeIq4XsReference(const DecodeJob& job);

}  // namespace lbrx
