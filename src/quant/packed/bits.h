// Codes in a stream of bits, the lowest bits of a little-endian word first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/tensor/convert.h"

namespace lbrx {

inline uint32_t LoadWord(const std::byte* data) {
  uint32_t word;
  std::memcpy(&word, data, sizeof(word));
  return word;
}

// The code of `bits` (1 to 8) at bit `position` of words that lie `stride` bytes apart; word 0 of
// the stream is word `first` of the whole. No word is read but those that hold the code.
inline uint32_t CodeAt(const std::byte* words, uint64_t stride, uint64_t first, uint64_t position,
                       uint32_t bits) {
  const std::byte* word = words + (position / 32 - first) * stride;
  const auto shift = static_cast<uint32_t>(position % 32);
  uint32_t code = LoadWord(word) >> shift;
  if (shift + bits > 32) {
    code |= LoadWord(word + stride) << (32 - shift);
  }
  return code & ((uint32_t{1} << bits) - 1);
}

// A scale of any floating type.
inline float LoadScale(DType dtype, const std::byte* data, uint64_t index) {
  float value = 0;
  Convert(dtype, data + index * (Info(dtype).bits / 8), DType::kF32,
          reinterpret_cast<std::byte*>(&value), 1);
  return value;
}

}  // namespace lbrx
