// The codes of GGUF's blocks, eight at a time in the order of the elements, and how their scales
// are related to MLX's affine ones.
#pragma once

#include "quant/recode_words.h"
#include "quant/schemes/ggml/few_bits.h"
#include "quant/schemes/ggml/k_minimum.h"
#include "quant/schemes/ggml/legacy.h"
#include "quant/schemes/ggml/small_floats.h"

namespace lbrx::ggml {

inline Half Negated(Half half) {
  half.bytes[1] ^= 0x80;
  return half;
}

// Runs of kRun elements in kRun / 2 bytes: the first half of a run low, the second one high.
template <size_t kRun>
struct SplitNibbles {
  static uint64_t Load(const uint8_t* nibbles, size_t i) {
    const uint64_t word = LoadBytes<8>(nibbles + Byte(i));
    return (InUpper(i) ? word >> 4 : word) & EachByte(15);
  }

  // All words of `bytes` bytes.
  static void Store(const uint64_t* words, size_t bytes, uint8_t* nibbles) {
    for (size_t i = 0; i < bytes / 4; ++i) {
      if (!InUpper(i)) {
        StoreBytes<8>(words[i] | words[i + kHalf] << 4, nibbles + Byte(i));
      }
    }
  }

 private:
  static constexpr size_t kHalf = kRun / 16;  // words

  static constexpr bool InUpper(size_t i) { return i / kHalf % 2 == 1; }

  static constexpr size_t Byte(size_t i) { return 8 * (i / (2 * kHalf) * kHalf + i % kHalf); }
};

// kBits; Load(block, i): the codes of elements 8 i to 8 i + 7, as MLX has them; Store: the reverse,
// of all words. Where kInOrder, the bytes are MLX's already.
template <typename Format>
struct BlockCodes;

template <typename Format, size_t kRun>
struct NibbleCodes {
  static constexpr int kBits = 4;
  static constexpr bool kInOrder = false;

  static uint64_t Load(const typename Format::Block& block, size_t i) {
    return SplitNibbles<kRun>::Load(block.codes, i);
  }

  static void Store(const uint64_t* words, typename Format::Block& block) {
    SplitNibbles<kRun>::Store(words, sizeof(block.codes), block.codes);
  }
};

template <>
struct BlockCodes<Q40> : NibbleCodes<Q40, 32> {};

template <>
struct BlockCodes<Q41> : NibbleCodes<Q41, 32> {};

template <>
struct BlockCodes<BlockMxfp4> : NibbleCodes<BlockMxfp4, 32> {};

template <>
struct BlockCodes<BlockNvfp4> : NibbleCodes<BlockNvfp4, 16> {};

template <typename Format>
struct FiveBitCodes {
  static constexpr int kBits = 5;
  static constexpr bool kInOrder = false;

  static uint64_t Load(const typename Format::Block& block, size_t i) {
    return SplitNibbles<32>::Load(block.codes, i) | SpreadBits(block.high.bytes[i]) << 4;
  }

  static void Store(const uint64_t* words, typename Format::Block& block) {
    uint64_t low[4];
    for (size_t i = 0; i < 4; ++i) {
      low[i] = words[i] & EachByte(15);
      block.high.bytes[i] = GatherBits(words[i] >> 4);
    }
    SplitNibbles<32>::Store(low, sizeof(block.codes), block.codes);
  }
};

template <>
struct BlockCodes<Q50> : FiveBitCodes<Q50> {};

template <>
struct BlockCodes<Q51> : FiveBitCodes<Q51> {};

template <>
struct BlockCodes<Q4K> : NibbleCodes<Q4K, 64> {};

template <>
struct BlockCodes<Q5K> {
  static constexpr int kBits = 5;
  static constexpr bool kInOrder = false;

  static uint64_t Load(const Q5K::Block& block, size_t i) {
    const uint64_t high = LoadBytes<8>(block.high + 8 * (i % 4)) >> (i / 4) & EachByte(1);
    return SplitNibbles<64>::Load(block.codes, i) | high << 4;
  }
};

template <>
struct BlockCodes<Q80> {
  static constexpr int kBits = 8;
  static constexpr bool kInOrder = false;

  static uint64_t Load(const Q80::Block& block, size_t i) {
    return LoadBytes<8>(block.codes + 8 * i) ^ EachByte(0x80);
  }

  static void Store(const uint64_t* words, Q80::Block& block) {
    for (size_t i = 0; i < 4; ++i) {
      StoreBytes<8>(words[i] ^ EachByte(0x80), block.codes + 8 * i);
    }
  }
};

template <>
struct BlockCodes<Q10> {
  static constexpr int kBits = 1;
  static constexpr bool kInOrder = true;

  static const uint8_t* Bytes(const Q10::Block& block) { return block.positive; }

  static uint8_t* Bytes(Q10::Block& block) { return block.positive; }
};

template <>
struct BlockCodes<Q20> {
  static constexpr int kBits = 2;
  static constexpr bool kInOrder = true;

  static const uint8_t* Bytes(const Q20::Block& block) { return block.codes; }

  static uint8_t* Bytes(Q20::Block& block) { return block.codes; }
};

template <>
struct BlockCodes<Tq20> {
  static constexpr int kBits = 2;
  static constexpr bool kInOrder = false;

  static uint64_t Load(const Tq20::Block& block, size_t i) {
    return LoadBytes<8>(block.codes + 32 * (i / 16) + 8 * (i % 4)) >> (2 * (i / 4 % 4)) &
           EachByte(3);
  }
};

template <>
struct BlockCodes<Tq10> {
  static constexpr int kBits = 2;
  static constexpr bool kInOrder = false;

  static uint64_t Load(const Tq10::Block& block, size_t i) {
    if (i < 20) {
      return Digit(LoadBytes<8>(block.fives + 8 * (i % 4)), i / 4);
    }
    if (i < 30) {
      return Digit(LoadBytes<8>(block.fives + 32 + 8 * (i % 2)), (i - 20) / 2);
    }
    const uint64_t four = LoadBytes<4>(block.fours);
    return Digit(four, 2 * (i - 30)) | Digit(four, 2 * (i - 30) + 1) << 32;
  }

 private:
  // Digit n of each byte.
  static uint64_t Digit(uint64_t bytes, size_t n) {
    constexpr uint64_t kPowers[5] = {1, 3, 9, 27, 81};
    constexpr uint64_t kEven = LowOfLanes<16, 8>();
    const uint64_t even = ((bytes & kEven) * kPowers[n] & kEven) * 3 >> 8 & kEven;
    const uint64_t odd = ((bytes >> 8 & kEven) * kPowers[n] & kEven) * 3 & ~kEven;
    return even | odd;
  }
};

// A block with scale d and no minimum: MLX's scale is d * 2^scale, its bias -d * 2^bias.
struct AffineRule {
  int scale = 0;
  int bias = 0;
};

template <typename Format>
inline constexpr AffineRule kAffineRule = {};
template <>
inline constexpr AffineRule kAffineRule<Q40> = {0, 3};
template <>
inline constexpr AffineRule kAffineRule<Q50> = {0, 4};
template <>
inline constexpr AffineRule kAffineRule<Q80> = {0, 7};
template <>
inline constexpr AffineRule kAffineRule<Q10> = {1, 0};

// Whether MLX's bias is the block's minimum m.
template <typename Format>
inline constexpr bool kHasMinimum = requires(typename Format::Block block) {
  block.m;
};

// Whether a block has scales and minima of sub-blocks, as integers in steps of d and dmin.
template <typename Format>
inline constexpr bool kHasSubScales = requires(typename Format::Block block) {
  block.dmin;
};

}  // namespace lbrx::ggml
