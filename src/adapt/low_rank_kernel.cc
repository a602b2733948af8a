#include "adapt/low_rank_kernel.h"

#include <cstdint>

#include "core/base/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "adapt/low_rank_kernel.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;

// kVectors vectors of columns, whose sums stay in registers.
template <size_t kVectors>
void AddColumns(const LowRankRow& row, size_t column, float* out) {
  const Floats d;
  const size_t lanes = hn::Lanes(d);
  hn::Vec<Floats> sums[kVectors];
  for (auto& sum : sums) {
    sum = hn::Zero(d);
  }
  for (size_t k = 0; k < row.rank; ++k) {
    const auto left = hn::Set(d, row.left[k * row.left_step]);
    const float* right = row.right + k * row.right_step + column;
    for (size_t i = 0; i < kVectors; ++i) {
      sums[i] = hn::Add(sums[i], hn::Mul(left, hn::LoadU(d, right + i * lanes)));
    }
  }
  const auto scale = hn::Set(d, row.scale);
  for (size_t i = 0; i < kVectors; ++i) {
    float* to = out + column + i * lanes;
    hn::StoreU(hn::Add(hn::LoadU(d, to), hn::Mul(scale, sums[i])), d, to);
  }
}

void Add(const LowRankRow& row, float* out, size_t columns) {
  constexpr size_t kAtOnce = 8;
  const size_t lanes = hn::Lanes(Floats());
  size_t column = 0;
  for (; column + kAtOnce * lanes <= columns; column += kAtOnce * lanes) {
    AddColumns<kAtOnce>(row, column, out);
  }
  for (; column + lanes <= columns; column += lanes) {
    AddColumns<1>(row, column, out);
  }
  LowRankRow rest = row;
  rest.right += column;
  AddRowReference(rest, out + column, columns - column);
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx {

void AddRowReference(const LowRankRow& row, float* out, size_t columns) {
  for (size_t column = 0; column < columns; ++column) {
    float sum = 0;
    for (size_t k = 0; k < row.rank; ++k) {
      sum += row.left[k * row.left_step] * row.right[k * row.right_step + column];
    }
    out[column] += row.scale * sum;
  }
}

void AddRow(const LowRankRow& row, float* out, size_t columns) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(AddRowReference, Add);
  kTable.Get()(row, out, columns);
}

}  // namespace lbrx
#endif
