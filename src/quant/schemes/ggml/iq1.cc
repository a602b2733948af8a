#include "quant/schemes/ggml/iq1.h"

#include "quant/schemes/ggml/iq_blocks.h"
#include "quant/schemes/ggml/iq_grids.h"

namespace lbrx {
namespace {

template <const Iq1Layout& kLayout>
void DecodeBlock(const uint8_t* block, float* values) {
  const std::span<const uint16_t> words = IqGridWords(IqGrid::kTernary2048);
  const float d = Iq1Scale(kLayout, block);
  for (size_t group = 0; group < kIqBlock / 8; ++group) {
    const uint32_t code = kLayout.scale.Get(block, group * 8 / kLayout.scaled);
    const float scale = d * static_cast<float>(2 * code + 1);
    const bool down = kLayout.down.Get(block, group * 8 / kLayout.moved) != 0;
    const uint32_t word =
        words[kLayout.low.Get(block, group) | kLayout.high.Get(block, group) << kLayout.low.width];
    for (size_t i = 0; i < 8; ++i) {
      values[group * 8 + i] = scale * Iq1ValuesOf(down)[word >> (2 * i) & 3];
    }
  }
}

}  // namespace

float Iq1Scale(const Iq1Layout& layout, const uint8_t* block) {
  if (layout.moved != 8) {
    return IqHalf(block);
  }
  uint32_t bits = 0;
  for (size_t i = 0; i < 4; ++i) {
    bits |= kIq1MScale.Get(block, i) << (4 * i);
  }
  return F16ToFloat(static_cast<uint16_t>(bits));
}

void DecodeIq1SReference(const DecodeJob& job) {
  DecodeIqBlocks<kIqBlock, kIq1SLayout.bytes, DecodeBlock<kIq1SLayout>>(job);
}

void DecodeIq1MReference(const DecodeJob& job) {
  DecodeIqBlocks<kIqBlock, kIq1MLayout.bytes, DecodeBlock<kIq1MLayout>>(job);
}

}  // namespace lbrx
