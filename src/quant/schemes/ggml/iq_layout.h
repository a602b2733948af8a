// Where the blocks of IQ2 and IQ3 keep their parts: 256 elements, coded in groups of eight (or
// four) as indices into a grid, with a sign for each element and a scale for every 16 or 32.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/tensor/encoding.h"
#include "quant/schemes/ggml/iq_grids.h"

namespace lbrx {

inline constexpr size_t kIqBlock = 256;

// Numbers of equal width, packed into units of one or more bytes. Little-endian.
struct IqField {
  uint8_t base = 0;    // byte where the first unit begins
  uint8_t stride = 1;  // bytes from one unit to the next
  uint8_t count = 1;   // numbers in a unit
  uint8_t pitch = 8;   // bits from one number to the next
  uint8_t width = 8;   // bits of a number; at most 9; 0: there is no such field, all are 0
  uint8_t shift = 0;   // bits of the unit before the first number

  uint32_t Get(const uint8_t* block, size_t i) const {
    const size_t bit = shift + pitch * (i % count);
    const uint8_t* at = block + base + stride * (i / count) + bit / 8;
    const size_t low = bit % 8;
    const uint32_t word = low + width > 8 ? at[0] | (uint32_t{at[1]} << 8) : at[0];
    return (word >> low) & ((1U << width) - 1);
  }

  // The field's bits are 0 before.
  void Put(uint8_t* block, size_t i, uint32_t value) const {
    const size_t bit = shift + pitch * (i % count);
    uint8_t* at = block + base + stride * (i / count) + bit / 8;
    const uint32_t word = value << (bit % 8);
    at[0] = static_cast<uint8_t>(at[0] | word);
    if (word > 0xFF) {
      at[1] = static_cast<uint8_t>(at[1] | (word >> 8));
    }
  }
};

struct IqLayout {
  IqGrid grid;
  uint8_t bytes;                      // of a block
  uint8_t scaled;                     // elements that share a scale
  std::array<uint8_t, 8> magnitudes;  // of the digits
  float unit;                         // a magnitude counts (scale + 0.5) * unit * d; d: F16 at 0
  IqField low;                        // of indices
  IqField high;                       // the bits above those of `low`
  IqField signs;                      // of eight elements; 7 bits: the eighth makes the sum even
  IqField scale;                      // 0 to 15
};

inline constexpr std::array<uint8_t, 8> kIq2Magnitudes = {8, 25, 43};

inline constexpr IqLayout kIq2XxsLayout = {IqGrid::kTwoBit256,
                                           66,
                                           32,
                                           kIq2Magnitudes,
                                           0.25F,
                                           {2, 8, 4, 8, 8},
                                           {0, 1, 1, 8, 0},
                                           {6, 8, 4, 7, 7},
                                           {6, 8, 1, 8, 4, 28}};
inline constexpr IqLayout kIq2XsLayout = {IqGrid::kTwoBit512,
                                          74,
                                          16,
                                          kIq2Magnitudes,
                                          0.25F,
                                          {2, 2, 1, 8, 9},
                                          {0, 1, 1, 8, 0},
                                          {2, 2, 1, 8, 7, 9},
                                          {66, 1, 2, 4, 4}};
inline constexpr IqLayout kIq2SLayout = {IqGrid::kTwoBit1024, 82,    16,
                                         kIq2Magnitudes,      0.25F, {2},
                                         {66, 1, 4, 2, 2},    {34},  {74, 1, 2, 4, 4}};
inline constexpr IqLayout kIq3XxsLayout = {IqGrid::kThreeBit256,
                                           98,
                                           32,
                                           {4, 12, 20, 28, 36, 44, 52, 62},
                                           0.5F,
                                           {2},
                                           {0, 1, 1, 8, 0},
                                           {66, 4, 4, 7, 7},
                                           {66, 4, 1, 8, 4, 28}};
inline constexpr IqLayout kIq3SLayout = {
    IqGrid::kThreeBit512, 110, 32, {1, 3, 5, 7, 9, 11, 13, 15}, 2.0F, {2}, {66, 1, 8, 1, 1}, {74},
    {106, 1, 2, 4, 4}};

// The sign bits of eight elements from those stored.
inline uint8_t IqSigns(const IqLayout& layout, uint32_t stored) {
  const uint32_t parity =
      layout.signs.width == 7 ? (0x6996U >> ((stored ^ stored >> 4) & 15)) & 1 : 0;
  return static_cast<uint8_t>(stored | parity << 7);
}

}  // namespace lbrx
