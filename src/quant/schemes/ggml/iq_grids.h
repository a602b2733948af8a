// The codebooks of GGML's IQ types: which combinations of eight (or four) small magnitudes exist.
#pragma once

#include <cstdint>
#include <span>

namespace lbrx {

enum class IqGrid : uint8_t {
  kTwoBit256,    // IQ2_XXS
  kTwoBit512,    // IQ2_XS
  kTwoBit1024,   // IQ2_S
  kTernary2048,  // IQ1_S, IQ1_M
  kThreeBit256,  // IQ3_XXS
  kThreeBit512,  // IQ3_S
};

// A grid's points, ascending, as strings of digits: eight of 2 bits (0 to 2) or four of 3 bits (0
// to 7), the first one in the lowest bits. A point's place in the list is its index in files.
std::span<const uint16_t> IqGridWords(IqGrid grid);

inline constexpr int IqDigitBits(IqGrid grid) {
  return grid == IqGrid::kThreeBit256 || grid == IqGrid::kThreeBit512 ? 3 : 2;
}

// Digits of a point.
inline constexpr int IqDigits(IqGrid grid) {
  return IqDigitBits(grid) == 3 ? 4 : 8;
}

}  // namespace lbrx
