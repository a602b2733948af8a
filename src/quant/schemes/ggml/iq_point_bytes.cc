#include "quant/schemes/ggml/iq_point_bytes.h"

#include <array>
#include <vector>

#include "quant/schemes/ggml/iq_layout.h"

namespace lbrx {
namespace {

constexpr std::array<uint8_t, 8> kTernary = {0, 1, 2};

std::vector<uint8_t> BytesOf(IqGrid grid, const std::array<uint8_t, 8>& magnitudes) {
  const int bits = IqDigitBits(grid);
  std::vector<uint8_t> out;
  for (const uint16_t word : IqGridWords(grid)) {
    for (int i = 0; i < IqDigits(grid); ++i) {
      out.push_back(magnitudes[word >> (bits * i) & ((1 << bits) - 1)]);
    }
  }
  return out;
}

template <IqGrid kGrid>
const uint8_t* Table(const std::array<uint8_t, 8>& magnitudes) {
  static const std::vector<uint8_t> table = BytesOf(kGrid, magnitudes);
  return table.data();
}

}  // namespace

const uint8_t* IqPointBytes(IqGrid grid) {
  switch (grid) {
    case IqGrid::kTwoBit256:
      return Table<IqGrid::kTwoBit256>(kIq2XxsLayout.magnitudes);
    case IqGrid::kTwoBit512:
      return Table<IqGrid::kTwoBit512>(kIq2XsLayout.magnitudes);
    case IqGrid::kTwoBit1024:
      return Table<IqGrid::kTwoBit1024>(kIq2SLayout.magnitudes);
    case IqGrid::kTernary2048:
      return Table<IqGrid::kTernary2048>(kTernary);
    case IqGrid::kThreeBit256:
      return Table<IqGrid::kThreeBit256>(kIq3XxsLayout.magnitudes);
    default:
      return Table<IqGrid::kThreeBit512>(kIq3SLayout.magnitudes);
  }
}

}  // namespace lbrx
