// For every string of digits: whether it is a point of a grid, or else which points may stand for
// it. Encoders round to strings; most of those are no points.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quant/schemes/ggml/iq_grids.h"

namespace lbrx {

class IqNeighbours {
 public:
  // Lists are padded to multiples of this by repeating their last point.
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
    const size_t begin = begins_[code] * kPad;
    return {lists_.data() + begin, begins_[code + 1] * kPad - begin};
  }

 private:
  explicit IqNeighbours(IqGrid grid);
  template <IqGrid kGrid>
  static const IqNeighbours& Table();

  std::vector<uint16_t> indices_;  // by code; 0 for what is no point
  std::vector<uint16_t> begins_;   // by code, in units of kPad; one more at the end
  std::vector<uint16_t> lists_;
};

// A word of the grid as a number in IqNeighbours::Base.
template <IqGrid kGrid>
uint32_t IqCode(uint32_t word) {
  if constexpr (IqDigitBits(kGrid) == 3) {
    return word;
  } else {
    uint32_t code = 0;
    for (int shift = 14; shift >= 0; shift -= 2) {
      code = code * 3 + (word >> shift & 3);
    }
    return code;
  }
}

}  // namespace lbrx
