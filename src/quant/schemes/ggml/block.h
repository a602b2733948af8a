// What GGUF's block formats share. A format is a struct that names its scheme, lays out its block
// (fields in the order of the file, bytes only, so that blocks need no alignment) and decodes it.
// Source of all of them: GGML's reference quantizers as built for x86-64, without FMA.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/base/simd.h"
#include "core/tensor/convert_scalar.h"
#include "hwy/base.h"
#include "quant/codec.h"
#include "quant/schemes/ggml/searches.h"

namespace lbrx::ggml {

// Numbers as they stand in a block, low byte first.
struct Half {
  uint8_t bytes[2];

  float Get() const { return scalar::F16ToFloat(static_cast<uint16_t>(bytes[0] | bytes[1] << 8)); }

  static Half From(float value) {
    const uint16_t bits = scalar::FloatToF16(value);
    return {{static_cast<uint8_t>(bits), static_cast<uint8_t>(bits >> 8)}};
  }

  void Set(float value) { *this = From(value); }
};

struct Word {
  uint8_t bytes[4];

  uint32_t Get() const {
    return bytes[0] | uint32_t{bytes[1]} << 8 | uint32_t{bytes[2]} << 16 | uint32_t{bytes[3]} << 24;
  }

  void Set(uint32_t bits) {
    for (int i = 0; i < 4; ++i) {
      bytes[i] = static_cast<uint8_t>(bits >> 8 * i);
    }
  }
};

// `Format` has kScheme, kElements, Block and Decode(const Block&, float*). Decode and what it calls
// are HWY_INLINE: they are compiled for each target as a part of the loop over blocks.
template <typename Format>
HWY_INLINE void DecodeLoop(const std::byte* blocks, uint64_t elements, float* values) {
  static_assert(alignof(typename Format::Block) == 1);
  for (uint64_t i = 0; i < elements; i += Format::kElements) {
    typename Format::Block block;
    std::memcpy(&block, blocks, sizeof(block));
    Format::Decode(block, values + i);
    blocks += sizeof(block);
  }
}

// What the columns of a block have for an importance.
struct Importance {
  const float* columns;  // nullptr: none
  float row_square;      // then: the mean square of the whole row
};

// `Format` has Encode(const float*, const Importance&, Block&) as well.
template <typename Format>
void EncodeBlocksReference(const EncodeJob& job) {
  using Block = typename Format::Block;
  const auto* values = reinterpret_cast<const float*>(job.values);
  std::byte* out = job.planes[0];
  const uint64_t columns = job.importance == nullptr ? job.elements : job.columns;
  Importance importance{};
  for (uint64_t i = 0; i < job.elements; i += Format::kElements) {
    if (job.importance != nullptr) {
      if (i % columns == 0) {
        importance.row_square = MeanSquare(values + i, columns);
      }
      importance.columns = job.importance + i % columns;
    }
    Block block{};
    Format::Encode(values + i, importance, block);
    std::memcpy(out, &block, sizeof(block));
    out += sizeof(block);
  }
}

// Those of formats with searches, on vectors (the _simd.cc files).
template <typename Format>
void EncodeBlocks(const EncodeJob& job);

// Defined for the formats of block_codecs.cc.
template <typename Format>
void DecodeBlocks(const DecodeJob& job);
template <typename Format>
void DecodeBlocksReference(const DecodeJob& job);

}  // namespace lbrx::ggml
