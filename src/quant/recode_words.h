// Eight codes at a time: as the bytes of a word, and joined to 8 * kBits bits, the first one lowest
// (packing.h). In plain arithmetic on words, which needs no instructions of a special CPU.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace lbrx {

static_assert(std::endian::native == std::endian::little);

// `byte` in each byte of a word.
constexpr uint64_t EachByte(uint8_t byte) {
  return byte * uint64_t{0x0101010101010101};
}

// The lowest kRun bits of each lane of kLane bits.
template <int kLane, int kRun>
constexpr uint64_t LowOfLanes() {
  uint64_t mask = 0;
  for (int at = 0; at < 64; at += kLane) {
    mask |= ((uint64_t{1} << kRun) - 1) << at;
  }
  return mask;
}

// Lanes of kLane bits hold kRun bits at the bottom of each of their halves: brings the upper ones
// down to the lower ones.
template <int kLane, int kRun>
constexpr uint64_t JoinHalves(uint64_t word) {
  constexpr uint64_t kLow = LowOfLanes<kLane, kRun>();
  return (word & kLow) | (word >> (kLane / 2 - kRun) & kLow << kRun);
}

// The reverse.
template <int kLane, int kRun>
constexpr uint64_t SplitHalves(uint64_t word) {
  constexpr uint64_t kLow = LowOfLanes<kLane, kRun>();
  return (word & kLow) | (word << (kLane / 2 - kRun) & kLow << kLane / 2);
}

template <int kBits>
constexpr uint64_t JoinCodes(uint64_t bytes) {
  return JoinHalves<64, 4 * kBits>(JoinHalves<32, 2 * kBits>(JoinHalves<16, kBits>(bytes)));
}

template <int kBits>
constexpr uint64_t SplitCodes(uint64_t joined) {
  return SplitHalves<16, kBits>(SplitHalves<32, 2 * kBits>(SplitHalves<64, 4 * kBits>(joined)));
}

// Bit i of `bits` as byte i, 0 or 1.
constexpr uint64_t SpreadBits(uint8_t bits) {
  const uint64_t at_own_place = EachByte(bits) & 0x8040201008040201;
  return (at_own_place + EachByte(0x7F)) >> 7 & EachByte(1);
}

// The reverse: the lowest bit of each byte.
constexpr uint8_t GatherBits(uint64_t bytes) {
  return static_cast<uint8_t>((bytes & EachByte(1)) * 0x0102040810204080 >> 56);
}

// The lowest kBytes of a word, in as many accesses as kBytes has bits: a word that is put together
// in memory would have to wait for its parts.
template <size_t kBytes>
inline uint64_t LoadBytes(const void* in) {
  constexpr size_t kFirst = std::bit_floor(kBytes);
  uint64_t word = 0;
  std::memcpy(&word, in, kFirst);
  if constexpr (kFirst != kBytes) {
    const auto* rest = static_cast<const std::byte*>(in) + kFirst;
    word |= LoadBytes<kBytes - kFirst>(rest) << (8 * kFirst);
  }
  return word;
}

template <size_t kBytes>
inline void StoreBytes(uint64_t word, void* out) {
  constexpr size_t kFirst = std::bit_floor(kBytes);
  std::memcpy(out, &word, kFirst);
  if constexpr (kFirst != kBytes) {
    StoreBytes<kBytes - kFirst>(word >> (8 * kFirst), static_cast<std::byte*>(out) + kFirst);
  }
}

}  // namespace lbrx
