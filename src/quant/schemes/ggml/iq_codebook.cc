#include "quant/schemes/ggml/iq_codebook.h"

#include "quant/schemes/ggml/iq_blocks.h"
#include "quant/schemes/ggml/iq_layout.h"

namespace lbrx {
namespace {

template <const IqLayout& kLayout>
void DecodeBlock(const uint8_t* block, float* values) {
  constexpr size_t kDigits = IqDigits(kLayout.grid);
  constexpr int kBits = IqDigitBits(kLayout.grid);
  const std::span<const uint16_t> words = IqGridWords(kLayout.grid);
  const float d = IqHalf(block);
  for (size_t eight = 0; eight < kIqBlock / 8; ++eight) {
    const uint32_t code = kLayout.scale.Get(block, eight * 8 / kLayout.scaled);
    const float scale = d * (0.5F + static_cast<float>(code)) * kLayout.unit;
    const uint8_t signs = IqSigns(kLayout, kLayout.signs.Get(block, eight));
    for (size_t i = 0; i < 8; ++i) {
      const size_t group = (eight * 8 + i) / kDigits;
      const uint32_t index = kLayout.low.Get(block, group) | kLayout.high.Get(block, group)
                                                                 << kLayout.low.width;
      const uint32_t digit = words[index] >> (kBits * (i % kDigits)) & ((1 << kBits) - 1);
      const float value = scale * static_cast<float>(kLayout.magnitudes[digit]);
      values[eight * 8 + i] = (signs >> i & 1) != 0 ? -value : value;
    }
  }
}

template <const IqLayout& kLayout>
void Decode(const DecodeJob& job) {
  DecodeIqBlocks<kIqBlock, kLayout.bytes, DecodeBlock<kLayout>>(job);
}

}  // namespace

void DecodeIqCodebookReference(const DecodeJob& job) {
  switch (job.encoding.scheme) {
    case Scheme::kIq2Xxs:
      return Decode<kIq2XxsLayout>(job);
    case Scheme::kIq2Xs:
      return Decode<kIq2XsLayout>(job);
    case Scheme::kIq2S:
      return Decode<kIq2SLayout>(job);
    case Scheme::kIq3Xxs:
      return Decode<kIq3XxsLayout>(job);
    default:
      return Decode<kIq3SLayout>(job);
  }
}

}  // namespace lbrx
