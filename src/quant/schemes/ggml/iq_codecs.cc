#include "quant/schemes/ggml/iq_codecs.h"

#include <array>

#include "quant/schemes/ggml/iq1.h"
#include "quant/schemes/ggml/iq4.h"
#include "quant/schemes/ggml/iq_codebook.h"

namespace lbrx {
namespace {

constexpr Codec Codebook(Scheme scheme) {
  return {scheme, nullptr, DecodeIqCodebookReference, nullptr, DecodeIqCodebookReference};
}

constexpr std::array<Codec, 9> kCodecs = {{
    Codebook(Scheme::kIq2Xxs),
    Codebook(Scheme::kIq2Xs),
    Codebook(Scheme::kIq2S),
    Codebook(Scheme::kIq3Xxs),
    Codebook(Scheme::kIq3S),
    {Scheme::kIq1S, nullptr, DecodeIq1SReference, nullptr, DecodeIq1SReference},
    {Scheme::kIq1M, nullptr, DecodeIq1MReference, nullptr, DecodeIq1MReference},
    {Scheme::kIq4Nl, nullptr, DecodeIq4NlReference, nullptr, DecodeIq4NlReference},
    {Scheme::kIq4Xs, nullptr, DecodeIq4XsReference, nullptr, DecodeIq4XsReference},
}};

}  // namespace

std::span<const Codec> IqCodecs() {
  return kCodecs;
}

}  // namespace lbrx
