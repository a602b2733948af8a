#include "merge/methods/gram.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "merge/methods/elementwise.h"

namespace lbrx {
namespace {

size_t CountVectors(const MergeTensor& tensor, VectorsOf of) {
  return tensor.members.size() + (of == VectorsOf::kBaseAndMembers ? 1 : 0);
}

class GramKernel : public MergeKernel {
 public:
  GramKernel(const MergeTensor& tensor, VectorsOf of, MixCoefficients coefficients)
      : of_(of), sums_(tensor, of), find_(std::move(coefficients)) {}

  int passes() const override { return 1; }

  void Observe(int /*pass*/, size_t piece, MergeTiles& tiles) override {
    sums_.Observe(piece, tiles);
  }

  void FinishPass(int /*pass*/) override {
    const std::vector<double> found = find_(sums_.Finish());
    coefficients_.assign(found.begin(), found.end());
  }

  void Combine(const MergeTile& tile, float* out) const override {
    if (of_ == VectorsOf::kBaseAndMembers) {
      std::vector<const float*> vectors = {tile.base};
      vectors.insert(vectors.end(), tile.members.begin(), tile.members.end());
      return MixVectors({.vectors = vectors, .coefficients = coefficients_}, tile.count, out);
    }
    const float* origin = of_ == VectorsOf::kDeltas ? tile.base : nullptr;
    MixVectors({.vectors = tile.members, .coefficients = coefficients_, .origin = origin},
               tile.count, out);
  }

  uint64_t StateBytes(unsigned /*threads*/) const override { return sums_.StateBytes(); }

 private:
  VectorsOf of_;
  GramSums sums_;
  MixCoefficients find_;
  std::vector<float> coefficients_;
};

class MixKernel : public MergeKernel {
 public:
  MixKernel(std::vector<float> coefficients, float divisor)
      : coefficients_(std::move(coefficients)), divisor_(divisor) {}

  void Combine(const MergeTile& tile, float* out) const override {
    MixVectors({.vectors = tile.members,
                .coefficients = coefficients_,
                .divisor = divisor_,
                .fused = true},
               tile.count, out);
  }

 private:
  std::vector<float> coefficients_;
  float divisor_;
};

}  // namespace

void AddProductsReference(const float* x, const float* y, uint64_t first, size_t count,
                          DotLanes& lanes) {
  for (size_t i = 0; i < count; ++i) {
    lanes[(first + i) % kDotLanes] += static_cast<double>(x[i]) * y[i];
  }
}

double Total(DotLanes lanes) {
  for (size_t half = kDotLanes / 2; half > 0; half /= 2) {
    for (size_t i = 0; i < half; ++i) {
      lanes[i] += lanes[i + half];
    }
  }
  return lanes[0];
}

double Gram::Norm(size_t i) const {
  return std::sqrt(at(i, i));
}

double Gram::SquaredNorm(const std::vector<double>& coefficients) const {
  double sum = 0;
  for (size_t i = 0; i < size_; ++i) {
    sum += coefficients[i] * DotWith(i, coefficients);
  }
  return std::isnan(sum) ? sum : std::max(sum, 0.0);
}

double Gram::DotWith(size_t i, const std::vector<double>& coefficients) const {
  double sum = 0;
  for (size_t j = 0; j < size_; ++j) {
    sum += coefficients[j] * at(i, j);
  }
  return sum;
}

void Gram::Add(const Gram& other) {
  for (size_t i = 0; i < products_.size(); ++i) {
    products_[i] += other.products_[i];
  }
}

VectorBlocks::VectorBlocks(VectorsOf of, size_t vectors, MergeRounding rounding)
    : of_(of),
      rounding_(rounding),
      vectors_(vectors),
      deltas_(of == VectorsOf::kDeltas ? vectors * kMergeBlock : 0) {}

const std::vector<const float*>& VectorBlocks::At(const MergeTile& tile, size_t offset,
                                                  size_t count) {
  if (of_ == VectorsOf::kBaseAndMembers) {
    vectors_[0] = tile.base + offset;
  }
  const size_t first = of_ == VectorsOf::kBaseAndMembers ? 1 : 0;
  for (size_t m = 0; m < tile.members.size(); ++m) {
    const float* member = tile.members[m] + offset;
    if (of_ == VectorsOf::kDeltas) {
      const float* base = tile.base + offset;
      float* delta = deltas_.data() + m * kMergeBlock;
      MapRun(rounding_, count, delta, [&](size_t i) { return member[i] - base[i]; });
      member = delta;
    }
    vectors_[first + m] = member;
  }
  return vectors_;
}

GramAdder::GramAdder(VectorsOf of, size_t vectors, MergeRounding rounding)
    : vectors_(vectors),
      rounding_(rounding),
      blocks_(of, vectors, rounding),
      lanes_(vectors * (vectors + 1) / 2) {}

void GramAdder::Add(const MergeTile& tile) {
  static constexpr auto kOnes = [] {
    std::array<float, kMergeBlock> ones{};
    ones.fill(1);
    return ones;
  }();
  float products[kMergeBlock];
  for (size_t offset = 0; offset < tile.count; offset += kMergeBlock) {
    const size_t count = std::min(kMergeBlock, tile.count - offset);
    const uint64_t first = tile.first + offset;
    const auto& vectors = blocks_.At(tile, offset, count);
    DotLanes* lanes = lanes_.data();
    for (size_t i = 0; i < vectors_; ++i) {
      for (size_t j = 0; j <= i; ++j, ++lanes) {
        if (rounding_ == MergeRounding::kNone || i == j) {
          AddProducts(vectors[i], vectors[j], first, count, *lanes);
        } else {
          MapRun(rounding_, count, products,
                 [&](size_t k) { return vectors[i][k] * vectors[j][k]; });
          AddProducts(products, kOnes.data(), first, count, *lanes);
        }
      }
    }
  }
}

Gram GramAdder::Sum() const {
  Gram sum(vectors_);
  const DotLanes* lanes = lanes_.data();
  for (size_t i = 0; i < vectors_; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      sum.at(i, j) = Total(*lanes++);
    }
  }
  return sum;
}

GramSums::GramSums(const MergeTensor& tensor, VectorsOf of, MergeRounding rounding)
    : of_(of),
      vectors_(CountVectors(tensor, of)),
      rounding_(rounding),
      pieces_(CutIntoPieces(tensor.shape.elements(), 1).count, Gram(vectors_)) {}

void GramSums::Observe(size_t piece, MergeTiles& tiles) {
  GramAdder adder(of_, vectors_, rounding_);
  while (const MergeTile* tile = tiles.Next()) {
    adder.Add(*tile);
  }
  pieces_[piece] = adder.Sum();
}

Gram GramSums::Finish() {
  Gram sum(vectors_);
  for (const Gram& piece : pieces_) {
    sum.Add(piece);
  }
  pieces_ = {};
  return sum;
}

uint64_t GramSums::StateBytes() const {
  return pieces_.size() * (sizeof(Gram) + vectors_ * (vectors_ + 1) / 2 * sizeof(double));
}

std::unique_ptr<MergeKernel> MakeGramKernel(const MergeTensor& tensor, VectorsOf of,
                                            MixCoefficients coefficients) {
  return std::make_unique<GramKernel>(tensor, of, std::move(coefficients));
}

std::unique_ptr<MergeKernel> MakeMixKernel(std::vector<float> coefficients, float divisor) {
  return std::make_unique<MixKernel>(std::move(coefficients), divisor);
}

}  // namespace lbrx
