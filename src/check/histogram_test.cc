#include "check/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace lbrx {
namespace {

// Roughly normal values of several magnitudes, one of them far out.
std::vector<float> Values(size_t count) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0.01F, 0.05F);
  std::vector<float> values;
  for (size_t i = 0; i < count; ++i) {
    values.push_back(normal(random) * (i % 5 == 0 ? 1e-4F : 1.0F));
  }
  values[count / 2] = -3.75F;
  return values;
}

// Counts over 1,024 bins between -bound and bound, computed the plain way in long double.
std::vector<uint64_t> Reference(const std::vector<float>& values, long double bound) {
  std::vector<uint64_t> counts(1024);
  for (const float value : values) {
    const long double place = (static_cast<long double>(value) + bound) / (2 * bound) * 1024;
    ++counts[static_cast<size_t>(std::floor(place))];
  }
  return counts;
}

TEST(Histogram, IsExactOverTheFinalRange) {
  const std::vector<float> values = Values(100'000);
  Histogram histogram;
  histogram.Add(std::span<const float>(values));
  EXPECT_EQ(histogram.edge(0), -4);  // the least power of two above 3.75
  EXPECT_EQ(histogram.edge(Histogram::kBins), 4);
  EXPECT_EQ(histogram.total(), values.size());
  const std::vector<uint64_t> counts(histogram.counts().begin(), histogram.counts().end());
  EXPECT_EQ(counts, Reference(values, 4));
}

TEST(Histogram, DoesNotDependOnPiecesOrOrder) {
  std::vector<float> values = Values(20'000);
  Histogram whole;
  whole.Add(std::span<const float>(values));
  for (const size_t piece : {1, 7, 1000}) {
    Histogram grown;  // its range doubles as it goes
    std::vector<Histogram> parts;
    for (size_t first = 0; first < values.size(); first += piece) {
      const auto run =
          std::span<const float>(values).subspan(first, std::min(piece, values.size() - first));
      grown.Add(run);
      if (piece == 1000) {
        parts.emplace_back().Add(run);
      }
    }
    EXPECT_EQ(grown, whole) << piece;
    std::reverse(parts.begin(), parts.end());
    Histogram merged;
    for (const Histogram& part : parts) {
      merged.Add(part);
    }
    EXPECT_TRUE(piece != 1000 || merged == whole);
  }
}

TEST(Histogram, TakesTheEndsOfTheRangeAndZeros) {
  Histogram histogram;
  const std::vector<double> zeros(3);
  histogram.Add(std::span<const double>(zeros));
  EXPECT_EQ(histogram.counts()[512], 3U);
  const std::vector<double> values = {1, -1, 0x1p-1022, -0x1p-1022, 0x1.fffffffffffffp0, 0};
  histogram.Add(std::span<const double>(values));
  EXPECT_EQ(histogram.edge(0), -2);
  EXPECT_EQ(histogram.counts()[768], 1U);
  EXPECT_EQ(histogram.counts()[256], 1U);
  EXPECT_EQ(histogram.counts()[512], 5U);  // zeros and what is just above
  EXPECT_EQ(histogram.counts()[511], 1U);
  EXPECT_EQ(histogram.counts()[1023], 1U);
}

TEST(Histogram, QuantilesAreWithinABin) {
  std::vector<float> values;
  for (int i = 0; i < 10'000; ++i) {
    values.push_back(static_cast<float>(i) / 10'000);
  }
  Histogram histogram;
  histogram.Add(std::span<const float>(values));
  for (const double share : {0.01, 0.5, 0.99}) {
    EXPECT_NEAR(histogram.Quantile(share), share, histogram.width() + 1e-4);
  }
}

TEST(HistogramView, KeepsEveryValueAndCutsOutliers) {
  const std::vector<float> values = Values(50'000);
  Histogram histogram;
  histogram.Add(std::span<const float>(values));
  const Histogram* const only[] = {&histogram};
  for (const size_t bins : {1, 10, 64, 4000}) {
    const HistogramView view = ViewTogether(only, bins);
    ASSERT_EQ(view.counts.size(), 1U);
    EXPECT_LE(view.counts[0].size(), bins);
    uint64_t sum = view.below + view.above;
    for (const uint64_t count : view.counts[0]) {
      sum += count;
    }
    EXPECT_EQ(sum, values.size());
    // Against the values themselves, by the view's own edges.
    const auto below =
        std::count_if(values.begin(), values.end(), [&](float value) { return value < view.low; });
    const auto above = std::count_if(values.begin(), values.end(),
                                     [&](float value) { return value >= view.high; });
    EXPECT_EQ(view.below, static_cast<uint64_t>(below));
    EXPECT_EQ(view.above, static_cast<uint64_t>(above));
    EXPECT_LE(view.below + view.above, values.size() / 500);
  }
  EXPECT_GT(ViewTogether(only, 64).low, -1);  // -3.75 lies outside
}

TEST(HistogramView, BringsSeveralToOneAxis) {
  const std::vector<float> small = {-0.1F, 0.1F, 0.11F};
  const std::vector<float> large = {-7, 7};
  Histogram a;
  Histogram b;
  a.Add(std::span<const float>(small));
  b.Add(std::span<const float>(large));
  const Histogram* const both[] = {&a, &b};
  const HistogramView view = ViewTogether(both, 16);
  ASSERT_EQ(view.counts.size(), 2U);
  ASSERT_EQ(view.counts[0].size(), view.counts[1].size());
  EXPECT_EQ(view.counts[1].front(), 1U);
  EXPECT_EQ(view.counts[1].back(), 1U);
  const double step = (view.high - view.low) / static_cast<double>(view.counts[0].size());
  EXPECT_EQ(view.counts[0][static_cast<size_t>((0.1 - view.low) / step)], 2U);
  const Histogram empty;
  const Histogram* const none[] = {&empty};
  EXPECT_TRUE(ViewTogether(none, 16).counts.empty());
}

}  // namespace
}  // namespace lbrx
