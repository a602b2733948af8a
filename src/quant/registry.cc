#include <array>
#include <vector>

#include "quant/codec.h"
#include "quant/schemes/affine.h"
#include "quant/schemes/ggml/block_codecs.h"
#include "quant/schemes/microscale.h"

namespace lbrx {
namespace {

constexpr std::array<Codec, 4> kMlxCodecs = {{
    {Scheme::kAffine, EncodeAffine, DecodeAffine, EncodeAffineReference, DecodeAffineReference},
    {Scheme::kMxfp4, EncodeMicroscale, DecodeMicroscale, EncodeMicroscaleReference,
     DecodeMicroscaleReference},
    {Scheme::kMxfp8, EncodeMicroscale, DecodeMicroscale, EncodeMicroscaleReference,
     DecodeMicroscaleReference},
    {Scheme::kNvfp4, EncodeMicroscale, DecodeMicroscale, EncodeMicroscaleReference,
     DecodeMicroscaleReference},
}};

const std::vector<Codec>& AllCodecs() {
  static const std::vector<Codec> codecs = [] {
    std::vector<Codec> out;
    for (const std::span<const Codec> family :
         {std::span<const Codec>(kMlxCodecs), GgmlBlockCodecs()}) {
      out.insert(out.end(), family.begin(), family.end());
    }
    return out;
  }();
  return codecs;
}

// By scheme.
using Index = std::array<const Codec*, 256>;

}  // namespace

const Codec* FindCodec(Scheme scheme) {
  static const Index index = [] {
    Index out{};
    for (const Codec& codec : AllCodecs()) {
      out[static_cast<uint8_t>(codec.scheme)] = &codec;
    }
    return out;
  }();
  return index[static_cast<uint8_t>(scheme)];
}

std::span<const Codec> Codecs() {
  return AllCodecs();
}

}  // namespace lbrx
