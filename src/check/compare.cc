#include "check/compare.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

namespace lbrx {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Sums in independent chains: a processor adds as many at once, and the order stays fixed.
constexpr size_t kLanes = 8;
using Lanes = std::array<double, kLanes>;

double Total(const Lanes& lanes) {
  double total = 0;
  for (const double lane : lanes) {
    total += lane;
  }
  return total;
}

struct LaneSums {
  Lanes max{}, difference{}, a{}, b{}, product{};

  void Add(size_t lane, double x, double y) {
    const double d = x - y;
    max[lane] = std::max(max[lane], std::fabs(d));
    difference[lane] += d * d;
    a[lane] += x * x;
    b[lane] += y * y;
    product[lane] += x * y;
  }
};

template <typename T>
ComparisonSums CompareFinite(std::span<const T> a, std::span<const T> b) {
  LaneSums sums;
  const size_t whole = a.size() / kLanes * kLanes;
  for (size_t i = 0; i < whole; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      sums.Add(lane, a[i + lane], b[i + lane]);
    }
  }
  for (size_t i = whole; i < a.size(); ++i) {
    sums.Add(i - whole, a[i], b[i]);
  }
  return {.count = a.size(),
          .max_difference = *std::max_element(sums.max.begin(), sums.max.end()),
          .squared_difference = Total(sums.difference),
          .squared_a = Total(sums.a),
          .squared_b = Total(sums.b),
          .product = Total(sums.product)};
}

double Difference(double x, double y) {
  if (x == y || (std::isnan(x) && std::isnan(y))) {
    return 0;
  }
  return std::isfinite(x) && std::isfinite(y) ? std::fabs(x - y) : kInfinity;
}

template <typename T>
ComparisonSums CompareAny(std::span<const T> a, std::span<const T> b) {
  ComparisonSums sums;
  sums.count = a.size();
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = a[i];
    const double y = b[i];
    const double d = Difference(x, y);
    sums.max_difference = std::max(sums.max_difference, d);
    sums.squared_difference += d * d;
    if (std::isfinite(x) && std::isfinite(y)) {
      sums.squared_a += x * x;
      sums.squared_b += y * y;
      sums.product += x * y;
    }
  }
  return sums;
}

template <typename T>
ComparisonSums CompareRun(std::span<const T> a, std::span<const T> b) {
  const ComparisonSums sums = CompareFinite(a, b);
  // Any NaN or infinity shows in these.
  return std::isfinite(sums.squared_a) && std::isfinite(sums.squared_b) ? sums : CompareAny(a, b);
}

}  // namespace

void ComparisonSums::Add(const ComparisonSums& other) {
  count += other.count;
  max_difference = std::max(max_difference, other.max_difference);
  squared_difference += other.squared_difference;
  squared_a += other.squared_a;
  squared_b += other.squared_b;
  product += other.product;
}

double ComparisonSums::Rmse() const {
  return count == 0 ? 0 : std::sqrt(squared_difference / static_cast<double>(count));
}

double ComparisonSums::Cosine() const {
  if (max_difference == 0) {
    return 1;
  }
  if (squared_a == 0 || squared_b == 0) {
    return squared_a == squared_b ? 1 : 0;
  }
  return std::clamp(product / (std::sqrt(squared_a) * std::sqrt(squared_b)), -1.0, 1.0);
}

ComparisonSums Compare(std::span<const float> a, std::span<const float> b) {
  return CompareRun(a, b);
}

ComparisonSums Compare(std::span<const double> a, std::span<const double> b) {
  return CompareRun(a, b);
}

ComparisonSums CompareBytes(std::span<const std::byte> a, std::span<const std::byte> b) {
  ComparisonSums sums;
  sums.count = a.size();
  if (a.size() != b.size() || std::memcmp(a.data(), b.data(), a.size()) != 0) {
    sums.max_difference = kInfinity;
    sums.squared_difference = kInfinity;
  }
  return sums;
}

}  // namespace lbrx
