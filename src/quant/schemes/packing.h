// Codes of 1 to 8 bits as one little-endian bit stream, lowest bits first: element k lies at bits
// [k * bits, (k + 1) * bits). Eight codes fill exactly `bits` bytes.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace lbrx {

static_assert(std::endian::native == std::endian::little);

// `count` is a multiple of 8.
inline void PackCodes(const uint8_t* codes, size_t count, int bits, std::byte* out) {
  for (size_t i = 0; i < count; i += 8) {
    uint64_t word = 0;
    for (int k = 0; k < 8; ++k) {
      word |= uint64_t{codes[i + k]} << (k * bits);
    }
    std::memcpy(out, &word, bits);
    out += bits;
  }
}

inline void UnpackCodes(const std::byte* in, size_t count, int bits, uint8_t* codes) {
  const uint64_t mask = (1U << bits) - 1;
  for (size_t i = 0; i < count; i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, in, bits);
    for (int k = 0; k < 8; ++k) {
      codes[i + k] = static_cast<uint8_t>((word >> (k * bits)) & mask);
    }
    in += bits;
  }
}

}  // namespace lbrx
