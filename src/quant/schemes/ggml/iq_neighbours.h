// For every string of digits: whether it is a point of a grid, or else which points may stand for
// it. Encoders round to strings; most of those are no points.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "quant/schemes/ggml/iq_grids.h"

namespace lbrx {

class IqNeighbours {
 public:
  // Lists begin at multiples of this; as many words can be read at each such place.
  static constexpr size_t kPad = 8;

  // Built at first use, in some milliseconds; lives as long as the program.
  static const IqNeighbours& Of(IqGrid grid);

  // Strings are given as numbers in base Base(), the first digit the lowest.
  static constexpr uint32_t Base(IqGrid grid) { return IqDigitBits(grid) == 3 ? 8 : 3; }

  // The place of a point in the grid.
  uint16_t Index(uint32_t code) const { return indices_[code]; }

  // Empty for a point. For others the points, as words of the grid, in the nearest shells (one to
  // three different distances, as GGML has them), by distance, then index.
  std::span<const uint16_t> Near(uint32_t code) const {
    return {lists_.data() + begins_[code] * kPad, counts_[code]};
  }

 private:
  explicit IqNeighbours(IqGrid grid);
  template <IqGrid kGrid>
  static const IqNeighbours& Table();

  std::vector<uint16_t> indices_;  // by code; 0 for what is no point
  std::vector<uint16_t> begins_;   // by code, in units of kPad
  std::vector<uint16_t> counts_;   // by code
  std::vector<uint16_t> lists_;
};

// Half a word of eight digits as a number in base 3.
inline constexpr std::array<uint8_t, 256> kIqHalfCodes = [] {
  std::array<uint8_t, 256> codes{};
  for (uint32_t word = 0; word < 256; ++word) {
    codes[word] = static_cast<uint8_t>((word & 3) + (word >> 2 & 3) * 3 + (word >> 4 & 3) * 9 +
                                       (word >> 6 & 3) * 27);
  }
  return codes;
}();

// A word of the grid as a number in IqNeighbours::Base.
template <IqGrid kGrid>
uint32_t IqCode(uint32_t word) {
  if constexpr (IqDigitBits(kGrid) == 3) {
    return word;
  } else {
    return kIqHalfCodes[word & 255] + 81U * kIqHalfCodes[word >> 8];
  }
}

}  // namespace lbrx
