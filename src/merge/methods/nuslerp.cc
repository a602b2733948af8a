// nuslerp: spherical interpolation of two models with weights, of their deltas where there is a
// base:
//
//   t = w1 / (w0 + w1), 0.5 where |w0 + w1| < 1e-6;  d_m = x_m (- base)
//   cos(th) = <u0, u1>, u_m = d_m / max(|d_m|, 1e-7)
//   y = (sin((1-t) th) d0 + sin(t th) d1) / sin(th)  (+ base)
//
// and the plain mix (1-t) d0 + t d1 where 1 - cos(th)^2 <= 1e-16 in float32. Vectors are whole
// tensors; without nuslerp_flatten rows (along the last dimension), or columns (along the first)
// with nuslerp_row_wise, whose name tells the reverse.
//
// Source: mergekit 0.1.5 and its documentation.
#include "merge/methods/nuslerp.h"

#include <algorithm>
#include <cmath>

#include "merge/methods/elementwise.h"
#include "merge/methods/gram.h"
#include "merge/methods/methods.h"
#include "merge/methods/parameters.h"
#include "merge/methods/tiles.h"

namespace lbrx {
namespace {

constexpr double kTinySum = 1e-6;
constexpr float kParallel = 1e-16F;

constexpr MergeParameterInfo kParameters[] = {
    {.name = "weight",
     .of_member = true,
     .required = true,
     .summary = "how much of this model goes in"},
    {.name = "nuslerp_flatten",
     .kind = MergeParameterInfo::Kind::kBoolean,
     .standard = 1,
     .summary = "the whole tensor is one vector"},
    {.name = "nuslerp_row_wise",
     .kind = MergeParameterInfo::Kind::kBoolean,
     .standard = 0,
     .summary = "not flat: vectors along the first dimension, else along the last"},
};

VectorsOf Vectors(const MergeTensor& tensor) {
  return tensor.has_base ? VectorsOf::kDeltas : VectorsOf::kMembers;
}

void Mix(const MergeTile& tile, const NuslerpMix& mix, MergeRounding rounding, float* out) {
  const float coefficients[] = {mix.first, mix.second};
  const VectorMix sum{.vectors = tile.members,
                      .coefficients = coefficients,
                      .origin = tile.base,
                      .divisor = mix.divisor};
  if (rounding == MergeRounding::kNone) {
    MixVectors(sum, tile.count, out);
  } else {
    MixVectorsRounded(sum, rounding, tile.count, out);
  }
}

// The inner product of unit vectors whose every operation is rounded.
class UnitProduct {
 public:
  UnitProduct(VectorsOf of, const Gram& gram, MergeRounding rounding)
      : rounding_(rounding), blocks_(of, 2, rounding) {
    const float least = RoundOne(rounding, kNuslerpLeastNorm);
    for (size_t i = 0; i < 2; ++i) {
      norms_[i] = std::max(RoundOne(rounding, gram.Norm(i)), least);
    }
  }

  void Add(const MergeTile& tile) {
    float units[2][kMergeBlock];
    for (size_t offset = 0; offset < tile.count; offset += kMergeBlock) {
      const size_t count = std::min(kMergeBlock, tile.count - offset);
      const auto& vectors = blocks_.At(tile, offset, count);
      for (size_t m = 0; m < 2; ++m) {
        MapRun(rounding_, count, units[m], [&](size_t i) { return vectors[m][i] / norms_[m]; });
      }
      MapRun(rounding_, count, units[0], [&](size_t i) { return units[0][i] * units[1][i]; });
      std::fill_n(units[1], count, 1.0F);
      AddProducts(units[0], units[1], tile.first + offset, count, lanes_);
    }
  }

  double Sum() const { return Total(lanes_); }

 private:
  MergeRounding rounding_;
  VectorBlocks blocks_;
  std::array<float, 2> norms_{};
  DotLanes lanes_{};
};

double Cosine(const Gram& gram) {
  return NuslerpCosine(gram.at(0, 1), gram.at(0, 0), gram.at(1, 1));
}

// The tensor as one vector, where rounding needs lengths before the product.
class RoundedKernel : public MergeKernel {
 public:
  RoundedKernel(const MergeTensor& tensor, double t)
      : t_(t),
        of_(Vectors(tensor)),
        rounding_(tensor.rounding),
        sums_(tensor, of_, rounding_),
        products_(CutIntoPieces(tensor.shape.elements(), 1).count) {}

  int passes() const override { return 2; }

  void Observe(int pass, size_t piece, MergeTiles& tiles) override {
    if (pass == 0) {
      return sums_.Observe(piece, tiles);
    }
    UnitProduct product(of_, gram_, rounding_);
    while (const MergeTile* tile = tiles.Next()) {
      product.Add(*tile);
    }
    products_[piece] = product.Sum();
  }

  void FinishPass(int pass) override {
    if (pass == 0) {
      gram_ = sums_.Finish();
      return;
    }
    double cosine = 0;
    for (double product : products_) {
      cosine += product;
    }
    mix_ = MixForCosine(t_, cosine, rounding_);
  }

  void Combine(const MergeTile& tile, float* out) const override {
    Mix(tile, mix_, rounding_, out);
  }

  uint64_t StateBytes(unsigned /*threads*/) const override {
    return sums_.StateBytes() + products_.size() * sizeof(double);
  }

 private:
  double t_;
  VectorsOf of_;
  MergeRounding rounding_;
  GramSums sums_;
  Gram gram_{2};
  std::vector<double> products_;
  NuslerpMix mix_;
};

class RowsKernel : public MergeKernel {
 public:
  RowsKernel(const MergeTensor& tensor, double t)
      : t_(t), of_(Vectors(tensor)), rounding_(tensor.rounding), row_(tensor.shape.back()) {}

  uint64_t granule() const override { return row_; }

  void Combine(const MergeTile& tile, float* out) const override {
    ForEachRow(tile, row_, [&](const MergeTile& row, size_t offset) {
      GramAdder adder(of_, 2, rounding_);
      adder.Add(row);
      double cosine = 0;
      if (rounding_ == MergeRounding::kNone) {
        cosine = Cosine(adder.Sum());
      } else {
        UnitProduct product(of_, adder.Sum(), rounding_);
        product.Add(row);
        cosine = product.Sum();
      }
      Mix(row, MixForCosine(t_, cosine, rounding_), rounding_, out + offset);
    });
  }

 private:
  double t_;
  VectorsOf of_;
  MergeRounding rounding_;
  uint64_t row_;
};

std::unique_ptr<MergeKernel> MakeNuslerp(const MergeTensor& tensor) {
  const std::vector<double> weights = FiniteParameters(tensor, "weight");
  const double sum = weights[0] + weights[1];
  const double t = std::abs(sum) < kTinySum ? 0.5 : weights[1] / sum;
  const bool flat = tensor.parameters.Flag("nuslerp_flatten") || tensor.shape.rank() < 2;
  if (!flat && tensor.shape.elements() != 0) {
    if (tensor.parameters.Flag("nuslerp_row_wise")) {
      return MakeNuslerpColumns(tensor, t);
    }
    return std::make_unique<RowsKernel>(tensor, t);
  }
  if (tensor.rounding != MergeRounding::kNone) {
    return std::make_unique<RoundedKernel>(tensor, t);
  }
  return MakeGramKernel(tensor, Vectors(tensor), [t](const Gram& gram) -> std::vector<double> {
    const NuslerpMix mix = MixForCosine(t, Cosine(gram), MergeRounding::kNone);
    return {mix.first, mix.second};
  });
}

}  // namespace

double NuslerpCosine(double dot, double square0, double square1) {
  const double norms = std::max(std::sqrt(square0), kNuslerpLeastNorm) *
                       std::max(std::sqrt(square1), kNuslerpLeastNorm);
  return dot / norms;
}

NuslerpMix MixForCosine(double t, double cosine, MergeRounding rounding) {
  // Compared in float32 (or less), where what rounding did to the sums has vanished: next to
  // cos = -1 the sines' quotients would blow it up.
  const float rounded = std::clamp(RoundOne(rounding, cosine), -1.0F, 1.0F);
  const float square = RoundOne(rounding, rounded * rounded);
  if (RoundOne(rounding, 1 - square) <= kParallel) {
    return {.first = static_cast<float>(1 - t), .second = static_cast<float>(t)};
  }
  if (rounding == MergeRounding::kNone) {
    const double angle = std::acos(std::clamp(cosine, -1.0, 1.0));
    const double sine = std::sin(angle);
    return {.first = static_cast<float>(std::sin((1 - t) * angle) / sine),
            .second = static_cast<float>(std::sin(t * angle) / sine)};
  }
  const float angle = RoundOne(rounding, std::acos(rounded));
  const auto sine_of = [&](double share) {
    return RoundOne(rounding, std::sin(RoundOne(rounding, static_cast<float>(share) * angle)));
  };
  return {.first = sine_of(1 - t), .second = sine_of(t), .divisor = sine_of(1)};
}

const MergeMethod kNuslerp = {
    .name = "nuslerp",
    .summary = "spherical interpolation of two models or of their deltas",
    .reference = "https://github.com/arcee-ai/mergekit/blob/main/docs/merge_methods.md",
    .parameters = kParameters,
    .base = BaseRole::kOptional,
    .least_members = 2,
    .most_members = 2,
    .lone = LoneTensor::kAsItIs,
    .cuts_to_common = true,
    .make = MakeNuslerp};

}  // namespace lbrx
