#include "quant/schemes/ggml/block_codecs.h"

#include <array>

#include "quant/schemes/ggml/few_bits.h"
#include "quant/schemes/ggml/k_minimum.h"
#include "quant/schemes/ggml/k_symmetric.h"
#include "quant/schemes/ggml/legacy.h"
#include "quant/schemes/ggml/small_floats.h"

namespace lbrx {
namespace {

template <typename Format>
constexpr Codec ReadOnly() {
  return {Format::kScheme, nullptr, ggml::DecodeBlocks<Format>, nullptr,
          ggml::DecodeBlocksReference<Format>};
}

constexpr std::array<Codec, 18> kCodecs = {
    ReadOnly<ggml::Q40>(),  ReadOnly<ggml::Q41>(),        ReadOnly<ggml::Q50>(),
    ReadOnly<ggml::Q51>(),  ReadOnly<ggml::Q80>(),        ReadOnly<ggml::Q81>(),
    ReadOnly<ggml::Q2K>(),  ReadOnly<ggml::Q3K>(),        ReadOnly<ggml::Q4K>(),
    ReadOnly<ggml::Q5K>(),  ReadOnly<ggml::Q6K>(),        ReadOnly<ggml::Q8K>(),
    ReadOnly<ggml::Tq10>(), ReadOnly<ggml::Tq20>(),       ReadOnly<ggml::BlockMxfp4>(),
    ReadOnly<ggml::Q10>(),  ReadOnly<ggml::BlockNvfp4>(), ReadOnly<ggml::Q20>(),
};

}  // namespace

std::span<const Codec> GgmlBlockCodecs() {
  return kCodecs;
}

}  // namespace lbrx
