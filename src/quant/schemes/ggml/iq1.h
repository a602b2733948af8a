// IQ1_S and IQ1_M: eight elements of -1, 0 or 1 as one point of a grid, all moved by an eighth up
// or down.
#pragma once

#include <array>
#include <limits>
#include <span>

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

// d of a block.
float Iq1Scale(const Iq1Layout& layout, const uint8_t* block);

// What an element may be, lowest first.
using Iq1Values = std::array<float, 3>;

inline constexpr Iq1Values Iq1ValuesOf(bool down) {
  const float delta = down ? -kIq1Delta : kIq1Delta;
  return {-1 + delta, delta, 1 + delta};
}

inline constexpr size_t kMaxIq1Run = 32;

// Of a run (16 or 32 elements that share a scale) in ascending order: sums of weight * x and of
// weights over the elements before each rank. IQ1_M: of the run's halves apart; IQ1_S: only [0].
struct Iq1Sums {
  float wx[2][kMaxIq1Run + 1 + 7];  // 7 more can be read, for vectors
  float w[2][kMaxIq1Run + 1 + 7];
};

// The best way to cut a run into low, middle and high elements.
struct Iq1Split {
  bool found = false;
  size_t middle = 0;  // ranks where middle and high ones begin
  size_t high = 0;
  uint32_t down = 0;  // bit i: whether the eight elements from 8 * i on are moved down
  float scale = 0;
};

// Keeps the best of the cuts it is shown, of equals the first.
class Iq1Best {
 public:
  // `qx`, `qq`: sums of weighted value * x and value^2.
  void Offer(float qx, float qq, size_t middle, size_t high, uint32_t down) {
    if (qq > 0 && qx * qx > score_ * qq) {
      const float scale = qx / qq;
      score_ = scale * qx;
      split_ = {true, middle, high, down, scale};
    }
  }

  float Score() const { return score_; }

  const Iq1Split& Split() const { return split_; }

 private:
  float score_ = -std::numeric_limits<float>::max();
  Iq1Split split_;
};

struct Iq1Kernels {
  // The places of `count` elements in ascending order; equal ones as they stand.
  void (*sort)(const float* x, size_t count, uint8_t* order);
  Iq1Split (*split_s)(const Iq1Sums&);
  Iq1Split (*split_m)(const Iq1Sums&);
  // The point of `near` with the least weighted error over eight elements; of equals the first.
  uint16_t (*nearest)(std::span<const uint16_t> near, const float* x, const float* w, float scale,
                      const Iq1Values& values);
};

// The definitions of the kernels.
void SortIq1Reference(const float* x, size_t count, uint8_t* order);
Iq1Split SplitIq1SReference(const Iq1Sums& sums);
Iq1Split SplitIq1MReference(const Iq1Sums& sums);
uint16_t NearestIq1Reference(std::span<const uint16_t> near, const float* x, const float* w,
                             float scale, const Iq1Values& values);

void EncodeIq1SWith(const EncodeJob& job, const Iq1Kernels& kernels);
void EncodeIq1MWith(const EncodeJob& job, const Iq1Kernels& kernels);

void EncodeIq1S(const EncodeJob& job);
void EncodeIq1M(const EncodeJob& job);
void EncodeIq1SReference(const EncodeJob& job);
void EncodeIq1MReference(const EncodeJob& job);
void DecodeIq1S(const DecodeJob& job);
void DecodeIq1M(const DecodeJob& job);
void DecodeIq1SReference(const DecodeJob& job);
void DecodeIq1MReference(const DecodeJob& job);

}  // namespace lbrx
