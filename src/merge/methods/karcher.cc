// karcher: the Riemannian (Karcher) mean of the models' directions on the unit sphere, each tensor
// seen as one vector and all models alike, stretched to the mean of their lengths:
//
//   u_m = x_m / |x_m|;  u = sum_m a u_m / |...|
//   repeat: T = sum_m a (th_m / sin th_m) (u_m - <u, u_m> u),  th_m = acos <u, u_m>
//           u = cos|T| u + sin|T| T / |T|                       until |T| < tol
//   y = u * mean_m |x_m|
//
// Models of length `tol` or less have no direction and count in the mean length alone. All vectors
// are sums of the u_m, so that the iteration needs nothing but their inner products.
//
// Source: Karcher, "Riemannian center of mass and mollifier smoothing", 1977; arXiv 2603.04972.
// Under --compat the iteration is this one, too: rounded to the working dtype at each step it
// would need a pass over the data for every step.
#include <algorithm>
#include <cmath>

#include "merge/methods/gram.h"
#include "merge/methods/methods.h"
#include "merge/methods/parameters.h"

namespace lbrx {
namespace {

constexpr double kMostIterations = 100000;
// Below this sine the way from u to its antipode has no direction.
constexpr double kAntipode = 1e-6;

constexpr MergeParameterInfo kParameters[] = {
    {.name = "max_iter",
     .kind = MergeParameterInfo::Kind::kInteger,
     .standard = 10,
     .summary = "iterations at most"},
    {.name = "tol", .standard = 1e-5, .summary = "length of a step that ends the iteration"},
};

using Vector = std::vector<double>;

void Scale(Vector& vector, double factor) {
  for (double& value : vector) {
    value *= factor;
  }
}

// The iteration over coefficients of unit vectors, whose inner products are `units`.
class KarcherMean {
 public:
  KarcherMean(const Gram& units, Vector shares, double tolerance)
      : units_(units), shares_(std::move(shares)), tolerance_(tolerance), mean_(shares_) {
    const double norm = std::sqrt(units_.SquaredNorm(mean_));
    if (norm < tolerance_) {
      const auto first =
          std::find_if(shares_.begin(), shares_.end(), [](double share) { return share != 0; });
      mean_.assign(shares_.size(), 0);
      mean_[first - shares_.begin()] = 1;
    } else {
      Scale(mean_, 1 / norm);
    }
  }

  // False where it has come to rest.
  bool Step() {
    const Vector tangent = Tangent();
    const double length = std::sqrt(units_.SquaredNorm(tangent));
    if (!(length >= tolerance_) || length == 0) {
      return false;
    }
    for (size_t i = 0; i < mean_.size(); ++i) {
      mean_[i] = std::cos(length) * mean_[i] + std::sin(length) / length * tangent[i];
    }
    const double norm = std::sqrt(units_.SquaredNorm(mean_));
    if (norm > tolerance_) {
      Scale(mean_, 1 / norm);
    }
    return true;
  }

  const Vector& mean() const { return mean_; }

 private:
  Vector Tangent() const {
    Vector tangent(mean_.size());
    for (size_t m = 0; m < mean_.size(); ++m) {
      const double cosine = std::clamp(units_.DotWith(m, mean_), -1.0, 1.0);
      const double angle = std::acos(cosine);
      const double sine = std::sin(angle);
      if (shares_[m] == 0 || angle < tolerance_ || sine == 0 || (cosine < 0 && sine < kAntipode)) {
        continue;
      }
      const double factor = shares_[m] * angle / sine;
      for (size_t i = 0; i < mean_.size(); ++i) {
        tangent[i] += factor * ((i == m ? 1 : 0) - cosine * mean_[i]);
      }
    }
    return tangent;
  }

  const Gram& units_;
  Vector shares_;
  double tolerance_;
  Vector mean_;
};

Vector Coefficients(int iterations, double tolerance, const Gram& gram) {
  const size_t size = gram.size();
  Gram units(size);
  Vector shares(size);
  double length = 0;
  double valid = 0;
  for (size_t i = 0; i < size; ++i) {
    length += gram.Norm(i) / static_cast<double>(size);
    shares[i] = gram.Norm(i) > tolerance ? 1 : 0;
    valid += shares[i];
    for (size_t j = 0; j <= i; ++j) {
      const double norms = gram.Norm(i) * gram.Norm(j);
      units.at(i, j) = norms > 0 ? gram.at(i, j) / norms : 0;
    }
  }
  if (valid == 0) {
    return Vector(size, std::isnan(length) ? length : 0);
  }
  Scale(shares, 1 / valid);
  KarcherMean mean(units, shares, tolerance);
  for (int i = 0; i < iterations && mean.Step(); ++i) {
  }
  Vector out = mean.mean();
  for (size_t i = 0; i < size; ++i) {
    out[i] = shares[i] == 0 ? 0 : out[i] * length / gram.Norm(i);
  }
  return out;
}

std::unique_ptr<MergeKernel> MakeKarcher(const MergeTensor& tensor) {
  const double iterations = ParameterFrom(tensor, "max_iter", 0);
  if (iterations > kMostIterations || iterations != std::floor(iterations)) {
    RefuseParameter(tensor, "max_iter", iterations, "an integer up to 100000");
  }
  const double tolerance = ParameterFrom(tensor, "tol", 0);
  if (tensor.members.size() == 1) {
    return MakeMixKernel({1}, 1);
  }
  return MakeGramKernel(tensor, VectorsOf::kMembers,
                        [count = static_cast<int>(iterations), tolerance](const Gram& gram) {
                          return Coefficients(count, tolerance, gram);
                        });
}

}  // namespace

const MergeMethod kKarcher = {.name = "karcher",
                              .summary = "mean of the models' directions on the sphere",
                              .reference = "https://arxiv.org/abs/2603.04972",
                              .parameters = kParameters,
                              .base = BaseRole::kNone,
                              .lone = LoneTensor::kAsItIs,
                              .make = MakeKarcher};

}  // namespace lbrx
