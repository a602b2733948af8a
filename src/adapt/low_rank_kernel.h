// The inner loop of low_rank.h. Private to this room.
#pragma once

#include <cstddef>

namespace lbrx {

// A row of L (its element k stands at left[k * left_step]) times columns of R (row k begins at
// right + k * right_step), scaled and added to `out`. Each step is rounded to float32.
struct LowRankRow {
  const float* left;
  size_t left_step;
  const float* right;
  size_t right_step;
  size_t rank;
  float scale;
};

void AddRowReference(const LowRankRow& row, float* out, size_t columns);
void AddRow(const LowRankRow& row, float* out, size_t columns);

}  // namespace lbrx
