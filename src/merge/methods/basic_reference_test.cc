// The basic methods against their formulas, written out in float64.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "merge/methods/methods.h"
#include "merge/methods/test_kernel_runs.h"
#include "merge/methods/test_random_inputs.h"

namespace lbrx {
namespace {

using testing::Floats;
using testing::Merge;
using testing::MergeInputs;
using testing::RandomInputs;
using testing::Settings;
using testing::TensorWith;

using Vector = std::vector<double>;

double Dot(const Vector& x, const Vector& y) {
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    sum += x[i] * y[i];
  }
  return sum;
}

double Norm(const Vector& x) {
  return std::sqrt(Dot(x, x));
}

// a x + b y
Vector Sum(double a, const Vector& x, double b, const Vector& y) {
  Vector out(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    out[i] = a * x[i] + b * y[i];
  }
  return out;
}

Vector Scaled(double a, const Vector& x) {
  return Sum(a, x, 0, x);
}

// The vectors of all models: members, then the base where there is one.
using Models = std::vector<Vector>;
using Reference = std::function<Vector(const Models& models)>;

Vector Linear(const Models& x, const Vector& weights, bool normalize) {
  Vector out(x[0].size());
  for (size_t m = 0; m < x.size(); ++m) {
    out = Sum(1, out, weights[m], x[m]);
  }
  double sum = 0;
  for (double weight : weights) {
    sum += weight;
  }
  return normalize ? Scaled(1 / sum, out) : out;
}

// Between x and y, `t` of the way.
Vector Arc(const Vector& x, const Vector& y, double t, double straight) {
  const double cosine = Dot(x, y) / (Norm(x) * Norm(y));
  if (std::abs(cosine) > straight) {
    return Sum(1 - t, x, t, y);
  }
  const double angle = std::acos(cosine);
  return Sum(std::sin((1 - t) * angle) / std::sin(angle), x, std::sin(t * angle) / std::sin(angle),
             y);
}

Vector Nuslerp(const Models& x, double t) {
  if (x.size() == 2) {
    return Arc(x[0], x[1], t, 1 - 1e-9);
  }
  const Vector delta = Arc(Sum(1, x[0], -1, x[2]), Sum(1, x[1], -1, x[2]), t, 1 - 1e-9);
  return Sum(1, delta, 1, x[2]);
}

Vector Multislerp(const Models& models, const Vector& weights, bool has_base) {
  const size_t size = weights.size();
  const Vector none(models[0].size());
  const Vector& base = has_base ? models.back() : none;
  Models units;
  Vector mean = none;
  double length = 0;
  for (size_t m = 0; m < size; ++m) {
    const Vector delta = Sum(1, models[m], -1, base);
    units.push_back(Scaled(1 / (Norm(delta) + 1e-8), delta));
    mean = Sum(1, mean, weights[m], units[m]);
    length += weights[m] * Norm(delta);
  }
  mean = Scaled(1 / Norm(mean), mean);
  Vector tangent = none;
  for (size_t m = 0; m < size; ++m) {
    tangent = Sum(1, tangent, weights[m], Sum(1, units[m], -Dot(units[m], mean), mean));
  }
  const double step = Norm(tangent) + 1e-8;
  return Sum(1, base, length, Sum(std::cos(step), mean, std::sin(step) / step, tangent));
}

Vector Karcher(const Models& x, int iterations, double tolerance) {
  Models units;
  double length = 0;
  Vector mean(x[0].size());
  for (const Vector& vector : x) {
    units.push_back(Scaled(1 / Norm(vector), vector));
    length += Norm(vector) / static_cast<double>(x.size());
    mean = Sum(1, mean, 1, units.back());
  }
  mean = Scaled(1 / Norm(mean), mean);
  for (int i = 0; i < iterations; ++i) {
    Vector tangent(mean.size());
    for (const Vector& unit : units) {
      const double cosine = std::clamp(Dot(mean, unit), -1.0, 1.0);
      const double angle = std::acos(cosine);
      const double factor = angle < tolerance ? 0 : angle / std::sin(angle);
      tangent =
          Sum(1, tangent, factor / static_cast<double>(x.size()), Sum(1, unit, -cosine, mean));
    }
    const double step = Norm(tangent);
    if (step < tolerance) {
      break;
    }
    mean = Sum(std::cos(step), mean, std::sin(step) / step, tangent);
    mean = Scaled(1 / Norm(mean), mean);
  }
  return Scaled(length, mean);
}

// The base is the last.
Vector ModelStock(const Models& x) {
  const auto count = static_cast<double>(x.size() - 1);
  Vector mean(x[0].size());
  double cosines = 0;
  double pairs = 0;
  for (size_t i = 0; i + 1 < x.size(); ++i) {
    mean = Sum(1, mean, 1 / count, x[i]);
    for (size_t j = i + 1; j + 1 < x.size(); ++j) {
      const Vector a = Sum(1, x[i], -1, x.back());
      const Vector b = Sum(1, x[j], -1, x.back());
      cosines += Dot(a, b) / (Norm(a) * Norm(b));
      ++pairs;
    }
  }
  const double cosine = cosines / pairs;
  const double t = count * cosine / (1 + (count - 1) * cosine);
  return Sum(t, mean, 1 - t, x.back());
}

Vector Nearswap(const Models& x, double t) {
  Vector out(x[0].size());
  for (size_t i = 0; i < out.size(); ++i) {
    const double w = std::clamp(t / std::max(std::abs(x[1][i] - x[0][i]), 1e-6), 0.0, 1.0);
    out[i] = w * x[0][i] + (1 - w) * x[1][i];
  }
  return out;
}

// Which elements make up one vector: of the whole tensor, of rows, or of columns.
enum class Along : uint8_t { kAll, kRows, kColumns };

struct Case {
  std::string name;
  const MergeMethod* method;
  size_t members;
  bool base;
  Settings parameters;
  std::vector<Settings> of_members;
  Reference reference;
  Along along = Along::kAll;
};

std::vector<Settings> Weights(const Vector& weights) {
  std::vector<Settings> out;
  for (double weight : weights) {
    out.push_back({{"weight", weight}});
  }
  return out;
}

std::vector<Case> BasicCases() {
  const auto nothing = [](size_t members) { return std::vector<Settings>(members); };
  const auto nuslerp = [](const Models& x) { return Nuslerp(x, 0.75); };
  return {
      {"Linear",
       &kLinear,
       3,
       false,
       {},
       Weights({0.5, -0.2, 0.9}),
       [](const Models& x) {
         return Linear(x, {0.5, -0.2, 0.9}, true);
       }},
      {"LinearSum",
       &kLinear,
       2,
       false,
       {{"normalize", 0}},
       Weights({0.5, 2}),
       [](const Models& x) {
         return Linear(x, {0.5, 2}, false);
       }},
      {"Passthrough",
       &kPassthrough,
       1,
       false,
       {},
       {{{"scale", -1.5}}},
       [](const Models& x) { return Scaled(-1.5, x[0]); }},
      {"Slerp",
       &kSlerp,
       1,
       true,
       {{"t", 0.3}},
       nothing(1),
       [](const Models& x) { return Arc(x[1], x[0], 0.3, 0.9995); }},
      {"SlerpBeyond",
       &kSlerp,
       1,
       true,
       {{"t", 1.5}},
       nothing(1),
       [](const Models& x) { return Arc(x[1], x[0], 1.5, 0.9995); }},
      {"Nuslerp", &kNuslerp, 2, false, {}, Weights({1, 3}), nuslerp},
      {"NuslerpDeltas", &kNuslerp, 2, true, {}, Weights({1, 3}), nuslerp},
      {"NuslerpRows",
       &kNuslerp,
       2,
       false,
       {{"nuslerp_flatten", 0}},
       Weights({1, 3}),
       nuslerp,
       Along::kRows},
      {"NuslerpDeltaRows",
       &kNuslerp,
       2,
       true,
       {{"nuslerp_flatten", 0}},
       Weights({1, 3}),
       nuslerp,
       Along::kRows},
      {"NuslerpColumns",
       &kNuslerp,
       2,
       false,
       {{"nuslerp_flatten", 0}, {"nuslerp_row_wise", 1}},
       Weights({1, 3}),
       nuslerp,
       Along::kColumns},
      {"NuslerpDeltaColumns",
       &kNuslerp,
       2,
       true,
       {{"nuslerp_flatten", 0}, {"nuslerp_row_wise", 1}},
       Weights({1, 3}),
       nuslerp,
       Along::kColumns},
      {"Multislerp",
       &kMultislerp,
       3,
       false,
       {},
       Weights({1, 2, 1}),
       [](const Models& x) {
         return Multislerp(x, {0.25, 0.5, 0.25}, false);
       }},
      {"MultislerpDeltas",
       &kMultislerp,
       3,
       true,
       {{"normalize_weights", 0}},
       Weights({1, 2.5, 1}),
       [](const Models& x) {
         return Multislerp(x, {1, 2.5, 1}, true);
       }},
      {"Karcher",
       &kKarcher,
       3,
       false,
       {},
       nothing(3),
       [](const Models& x) { return Karcher(x, 10, 1e-5); }},
      {"KarcherOneStep",
       &kKarcher,
       4,
       false,
       {{"max_iter", 1}},
       nothing(4),
       [](const Models& x) { return Karcher(x, 1, 1e-5); }},
      {"ModelStock", &kModelStock, 3, true, {}, nothing(3), ModelStock},
      {"ModelStockRows",
       &kModelStock,
       3,
       true,
       {{"filter_wise", 1}},
       nothing(3),
       ModelStock,
       Along::kRows},
      {"Nearswap",
       &kNearswap,
       1,
       true,
       {{"t", 0.2}},
       nothing(1),
       [](const Models& x) { return Nearswap(x, 0.2); }},
  };
}

// Applies the reference to each vector of the tensor.
Vector Expected(const Case& test, const MergeInputs& inputs) {
  std::vector<const Floats*> models;
  for (const Floats& member : inputs.members) {
    models.push_back(&member);
  }
  if (test.base) {
    models.push_back(&inputs.base);
  }
  const uint64_t elements = inputs.shape.elements();
  const bool whole = inputs.shape.rank() < 2 || test.along == Along::kAll;
  const uint64_t length = whole                        ? elements
                          : test.along == Along::kRows ? inputs.shape.back()
                                                       : inputs.shape[0];
  const uint64_t vectors = elements / length;
  const bool columns = !whole && test.along == Along::kColumns;
  Vector out(elements);
  for (uint64_t v = 0; v < vectors; ++v) {
    const auto index = [&](uint64_t i) { return columns ? i * vectors + v : v * length + i; };
    Models parts;
    for (const Floats* model : models) {
      Vector part(length);
      for (uint64_t i = 0; i < length; ++i) {
        part[i] = (*model)[index(i)];
      }
      parts.push_back(part);
    }
    const Vector merged = test.reference(parts);
    for (uint64_t i = 0; i < length; ++i) {
      out[index(i)] = merged[i];
    }
  }
  return out;
}

class BasicReferenceTest : public ::testing::TestWithParam<Case> {};

TEST_P(BasicReferenceTest, AgreesWithItsFormula) {
  const Case& test = GetParam();
  for (const Shape& shape : {Shape{1}, Shape{5}, Shape{97}, Shape{2, 3}, Shape{33, 65},
                             Shape{3, 5, 7}, Shape{1, 40}, Shape{40, 1}, Shape{600, 900}}) {
    const MergeInputs inputs = RandomInputs(shape, test.members, test.base);
    const Vector expected = Expected(test, inputs);
    const Floats merged =
        Merge(*test.method, TensorWith(*test.method, test.parameters, test.of_members), inputs);
    double largest = 0;
    for (double value : expected) {
      largest = std::max(largest, std::abs(value));
    }
    size_t misses = 0;
    for (size_t i = 0; i < merged.size(); ++i) {
      misses += std::abs(merged[i] - expected[i]) <= 2e-6 * largest ? 0 : 1;
    }
    EXPECT_EQ(misses, 0U) << shape.ToString();
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, BasicReferenceTest, ::testing::ValuesIn(BasicCases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace lbrx
