#include <array>

#include "quant/codec.h"
#include "quant/schemes/affine.h"
#include "quant/schemes/ggml/iq_codecs.h"
#include "quant/schemes/microscale.h"

namespace lbrx {
namespace {

constexpr std::array<Codec, 4> kCodecs = {{
    {Scheme::kAffine, EncodeAffine, DecodeAffine, EncodeAffineReference, DecodeAffineReference},
    {Scheme::kMxfp4, EncodeMicroscale, DecodeMicroscale, EncodeMicroscaleReference,
     DecodeMicroscaleReference},
    {Scheme::kMxfp8, EncodeMicroscale, DecodeMicroscale, EncodeMicroscaleReference,
     DecodeMicroscaleReference},
    {Scheme::kNvfp4, EncodeMicroscale, DecodeMicroscale, EncodeMicroscaleReference,
     DecodeMicroscaleReference},
}};

}  // namespace

const Codec* FindCodec(Scheme scheme) {
  for (const std::span<const Codec> codecs : {Codecs(), IqCodecs()}) {
    for (const Codec& codec : codecs) {
      if (codec.scheme == scheme) {
        return &codec;
      }
    }
  }
  return nullptr;
}

std::span<const Codec> Codecs() {
  return kCodecs;
}

}  // namespace lbrx
