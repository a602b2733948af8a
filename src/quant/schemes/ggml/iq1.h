// IQ1_S and IQ1_M: eight elements of -1, 0 or 1 as one point of a grid, all moved by an eighth up
// or down.
#pragma once

#include "quant/codec.h"
#include "quant/schemes/ggml/iq_layout.h"

namespace lbrx {

// Where a block keeps its parts; a scale is 2 * code + 1 times d.
struct Iq1Layout {
  uint8_t bytes;   // of a block
  uint8_t scaled;  // elements that share a scale
  uint8_t moved;   // elements that are moved together
  IqField low;     // of indices, one for every eight elements
  IqField high;
  IqField scale;
  IqField down;  // set: moved down
};

inline constexpr Iq1Layout kIq1SLayout = {
    50, 32, 32, {2}, {34, 2, 4, 3, 3}, {34, 2, 1, 8, 3, 12}, {34, 2, 1, 8, 1, 15}};
inline constexpr Iq1Layout kIq1MLayout = {
    56, 16, 8, {0}, {32, 1, 2, 4, 3}, {48, 2, 4, 3, 3}, {32, 1, 2, 4, 1, 3}};
// IQ1_M's d, in pieces of 4 bits above the scales; IQ1_S has it at the block's beginning.
inline constexpr IqField kIq1MScale = {48, 2, 1, 8, 4, 12};

inline constexpr float kIq1Delta = 0.125F;

void DecodeIq1SReference(const DecodeJob& job);
void DecodeIq1MReference(const DecodeJob& job);

}  // namespace lbrx
