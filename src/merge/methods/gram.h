// Inner products of whole tensors: the statistics of methods whose result is a sum of the models'
// tensors with coefficients.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "merge/method.h"

namespace lbrx {

inline constexpr size_t kDotLanes = 16;  // partial sums of an inner product
using DotLanes = std::array<double, kDotLanes>;

// Adds x[k] * y[k], in float64, to lane (first + k) % kDotLanes; `first` is the first element's
// index in its tensor. So the sums do not depend on the cut into runs, nor on the CPU.
void AddProductsReference(const float* x, const float* y, uint64_t first, size_t count,
                          DotLanes& lanes);
void AddProducts(const float* x, const float* y, uint64_t first, size_t count, DotLanes& lanes);
// Their sum, in a fixed order.
double Total(DotLanes lanes);

// All inner products of some vectors: a symmetric matrix.
class Gram {
 public:
  explicit Gram(size_t size) : size_(size), products_(size * (size + 1) / 2) {}

  size_t size() const { return size_; }

  double& at(size_t i, size_t j) { return products_[Index(i, j)]; }

  double at(size_t i, size_t j) const { return products_[Index(i, j)]; }

  double Norm(size_t i) const;
  // The squared norm of the sum of vectors with coefficients; not below 0.
  double SquaredNorm(const std::vector<double>& coefficients) const;
  // The inner product of that sum with vector `i`.
  double DotWith(size_t i, const std::vector<double>& coefficients) const;
  void Add(const Gram& other);

 private:
  static size_t Index(size_t i, size_t j) {
    return i < j ? j * (j + 1) / 2 + i : i * (i + 1) / 2 + j;
  }

  size_t size_;
  std::vector<double> products_;
};

// Which vectors of a tile: the members; the base and the members; the members less the base.
enum class VectorsOf : uint8_t { kMembers, kBaseAndMembers, kDeltas };

// The vectors' elements of a run, block by block. Deltas are rounded as the peer's subtraction.
class VectorBlocks {
 public:
  VectorBlocks(VectorsOf of, size_t vectors, MergeRounding rounding = MergeRounding::kNone);

  // Elements [offset, offset + count) of the tile, count <= kMergeBlock. Valid until the next call.
  const std::vector<const float*>& At(const MergeTile& tile, size_t offset, size_t count);

 private:
  VectorsOf of_;
  MergeRounding rounding_;
  std::vector<const float*> vectors_;
  std::vector<float> deltas_;
};

// A Gram matrix in the making. With `rounding` the products of different vectors are rounded before
// they are added, as the peer's are.
class GramAdder {
 public:
  GramAdder(VectorsOf of, size_t vectors, MergeRounding rounding = MergeRounding::kNone);

  void Add(const MergeTile& tile);
  Gram Sum() const;

 private:
  size_t vectors_;
  MergeRounding rounding_;
  VectorBlocks blocks_;
  std::vector<DotLanes> lanes_;  // in the order of Gram's
};

// A Gram matrix of a tensor, summed over its pieces.
class GramSums {
 public:
  GramSums(const MergeTensor& tensor, VectorsOf of, MergeRounding rounding = MergeRounding::kNone);

  void Observe(size_t piece, MergeTiles& tiles);
  // After all pieces; frees what was kept for each.
  Gram Finish();
  uint64_t StateBytes() const;

 private:
  VectorsOf of_;
  size_t vectors_;
  MergeRounding rounding_;
  std::vector<Gram> pieces_;
};

// Coefficients of the vectors, from their inner products.
using MixCoefficients = std::function<std::vector<double>(const Gram& gram)>;

// The kernel that finds the inner products in one pass and then mixes. For kDeltas the base is
// added to the sum of the deltas.
std::unique_ptr<MergeKernel> MakeGramKernel(const MergeTensor& tensor, VectorsOf of,
                                            MixCoefficients coefficients);
// The same without a pass: of the members, the sum divided by `divisor`. Products are added without
// rounding them first.
std::unique_ptr<MergeKernel> MakeMixKernel(std::vector<float> coefficients, float divisor);

}  // namespace lbrx
