#include "quant/schemes/ggml/iq4.h"

#include "quant/schemes/ggml/iq_blocks.h"

namespace lbrx {
namespace {

// Byte i has the codes of elements i and i + 16.
void DecodeGroup(const uint8_t* codes, float scale, float* values) {
  for (size_t i = 0; i < kIq4Group / 2; ++i) {
    values[i] = scale * static_cast<float>(kIq4Steps[codes[i] & 15]);
    values[i + kIq4Group / 2] = scale * static_cast<float>(kIq4Steps[codes[i] >> 4]);
  }
}

void DecodeNl(const uint8_t* block, float* values) {
  DecodeGroup(block + 2, IqHalf(block), values);
}

void DecodeXs(const uint8_t* block, float* values) {
  const float d = IqHalf(block);
  for (size_t group = 0; group < kIqBlock / kIq4Group; ++group) {
    const uint32_t code = kIq4ScaleLow.Get(block, group) | kIq4ScaleHigh.Get(block, group) << 4;
    const float scale = d * (static_cast<float>(code) - 32.0F);
    DecodeGroup(block + kIq4XsCodes + group * kIq4Group / 2, scale, values + group * kIq4Group);
  }
}

}  // namespace

void DecodeIq4NlReference(const DecodeJob& job) {
  DecodeIqBlocks<kIq4Group, kIq4NlBytes, DecodeNl>(job);
}

void DecodeIq4XsReference(const DecodeJob& job) {
  DecodeIqBlocks<kIqBlock, kIq4XsBytes, DecodeXs>(job);
}

}  // namespace lbrx
