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
constexpr Codec Whole() {
  return {Format::kScheme, ggml::EncodeBlocksReference<Format>, ggml::DecodeBlocks<Format>,
          ggml::EncodeBlocksReference<Format>, ggml::DecodeBlocksReference<Format>};
}

template <typename Format>
constexpr Codec Fast() {
  Codec codec = Whole<Format>();
  codec.encode = ggml::EncodeBlocks<Format>;
  return codec;
}

template <typename Format>
constexpr Codec ReadOnly() {
  return {Format::kScheme, nullptr, ggml::DecodeBlocks<Format>, nullptr,
          ggml::DecodeBlocksReference<Format>};
}

constexpr std::array<Codec, 18> kCodecs = {
    Fast<ggml::Q40>(),  Fast<ggml::Q41>(),     Fast<ggml::Q50>(),        Fast<ggml::Q51>(),
    Fast<ggml::Q80>(),  ReadOnly<ggml::Q81>(), Fast<ggml::Q2K>(),        Fast<ggml::Q3K>(),
    Fast<ggml::Q4K>(),  Fast<ggml::Q5K>(),     Fast<ggml::Q6K>(),        ReadOnly<ggml::Q8K>(),
    Fast<ggml::Tq10>(), Fast<ggml::Tq20>(),    Fast<ggml::BlockMxfp4>(), Fast<ggml::BlockNvfp4>(),
    Whole<ggml::Q10>(), Fast<ggml::Q20>(),
};

}  // namespace

std::span<const Codec> GgmlBlockCodecs() {
  return kCodecs;
}

}  // namespace lbrx
