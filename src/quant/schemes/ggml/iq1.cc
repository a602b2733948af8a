#include "quant/schemes/ggml/iq1.h"

#include "quant/schemes/ggml/iq_blocks.h"
#include "quant/schemes/ggml/iq_grids.h"

namespace lbrx {
namespace {

template <const Iq1Layout& kLayout>
void DecodeGroups(const uint8_t* block, float d, float* values) {
  const std::span<const uint16_t> words = IqGridWords(IqGrid::kTernary2048);
  for (size_t group = 0; group < kIqBlock / 8; ++group) {
    const uint32_t code = kLayout.scale.Get(block, group * 8 / kLayout.scaled);
    const float scale = d * static_cast<float>(2 * code + 1);
    const bool down = kLayout.down.Get(block, group * 8 / kLayout.moved) != 0;
    const uint32_t word =
        words[kLayout.low.Get(block, group) | kLayout.high.Get(block, group) << kLayout.low.width];
    for (size_t i = 0; i < 8; ++i) {
      const float ternary = static_cast<float>(word >> (2 * i) & 3) - 1.0F;
      values[group * 8 + i] = scale * (ternary + (down ? -kIq1Delta : kIq1Delta));
    }
  }
}

void DecodeS(const uint8_t* block, float* values) {
  DecodeGroups<kIq1SLayout>(block, IqHalf(block), values);
}

void DecodeM(const uint8_t* block, float* values) {
  uint32_t bits = 0;
  for (size_t i = 0; i < 4; ++i) {
    bits |= kIq1MScale.Get(block, i) << (4 * i);
  }
  DecodeGroups<kIq1MLayout>(block, F16ToFloat(static_cast<uint16_t>(bits)), values);
}

}  // namespace

void DecodeIq1SReference(const DecodeJob& job) {
  DecodeIqBlocks<kIqBlock, kIq1SLayout.bytes, DecodeS>(job);
}

void DecodeIq1MReference(const DecodeJob& job) {
  DecodeIqBlocks<kIqBlock, kIq1MLayout.bytes, DecodeM>(job);
}

}  // namespace lbrx
