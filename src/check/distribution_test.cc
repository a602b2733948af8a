#include "check/distribution.h"

#include <cmath>
#include <limits>
#include <numeric>

#include "check/scan.h"
#include "check/test_model.h"

namespace lbrx {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinite = std::numeric_limits<float>::infinity();

// Plain sums in long double.
void ExpectMoments(const Moments& moments, const std::vector<float>& values) {
  long double sum = 0;
  for (const float value : values) {
    sum += static_cast<long double>(value);
  }
  const long double mean = sum / static_cast<long double>(values.size());
  long double squares = 0;
  for (const float value : values) {
    squares += (value - mean) * (value - mean);
  }
  EXPECT_EQ(moments.count, values.size());
  EXPECT_EQ(moments.min, static_cast<double>(*std::min_element(values.begin(), values.end())));
  EXPECT_EQ(moments.max, static_cast<double>(*std::max_element(values.begin(), values.end())));
  EXPECT_NEAR(moments.mean, static_cast<double>(mean), 1e-12 * std::fabs(moments.max));
  const double deviation =
      std::sqrt(static_cast<double>(squares) / static_cast<double>(values.size()));
  EXPECT_NEAR(moments.Deviation(), deviation, 1e-9 * deviation);
}

std::vector<Distribution> DistributionsOf(const std::string& path, unsigned threads,
                                          const std::vector<size_t>& group_of, size_t groups) {
  TestOptions test(threads);
  return Distributions(OpenForCheck(path), group_of, groups, test.options);
}

TEST(Distribution, IsThatOfTheValuesOnAnyNumberOfThreads) {
  const TempDir folder;
  std::vector<float> x = TestValues(2 * kBandElements + 4321, 1);
  for (float& value : x) {
    value = value * 0.001F + 1000;  // the mean far from 0
  }
  const std::vector<float> y = TestValues(5000, 2);
  const std::string path = folder / "m.safetensors";
  WriteTensors(path, {{"x", F32Tensor({x.size()}, x)}, {"y", F32Tensor({y.size()}, y)}});
  const auto one = DistributionsOf(path, 1, {0, 1}, 2);
  ExpectMoments(one[0].moments, x);
  ExpectMoments(one[1].moments, y);
  EXPECT_EQ(one[0].histogram.total(), x.size());
  for (const unsigned threads : {2U, 7U}) {
    const auto many = DistributionsOf(path, threads, {0, 1}, 2);
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(many[i].moments.mean, one[i].moments.mean);
      EXPECT_EQ(many[i].moments.squares, one[i].moments.squares);
      EXPECT_EQ(many[i].histogram, one[i].histogram);
    }
  }
}

TEST(Distribution, CountsWhatIsNotFiniteApart) {
  Distribution distribution;
  const std::vector<float> values = {1, kNan, -2, kInfinite, -kInfinite, kNan, 0.5F};
  distribution.Add(std::span<const float>(values));
  EXPECT_EQ(distribution.moments.nan, 2U);
  EXPECT_EQ(distribution.moments.infinite, 2U);
  ExpectMoments(distribution.moments, {1, -2, 0.5F});
  EXPECT_EQ(distribution.histogram.total(), 3U);
  EXPECT_EQ(Moments().Deviation(), 0);
}

TEST(Distribution, JoinsTensorsOfAGroupAndLeavesOthersOut) {
  const TempDir folder;
  const std::string path = folder / "m.safetensors";
  WriteTensors(path, {{"a", F32Tensor({2}, {1, 2})},
                      {"b", F32Tensor({2}, {-8, 8})},
                      {"c", {DType::kC64, {1}, BytesOf<float>({1, 2})}},
                      {"d", F32Tensor({1}, {6})}});
  const auto found = DistributionsOf(path, 2, {0, kNoGroup, 0, 0}, 1);
  ExpectMoments(found[0].moments, {1, 2, 6});
}

TEST(Distribution, OfDifferencesIsInFloat64) {
  const std::vector<float> a = {1, 2.5F, -3, 16777216};
  const std::vector<float> b = {1, 2, 3, 1.5F};
  Distribution distribution;
  distribution.AddDifferences(std::span<const float>(a), std::span<const float>(b));
  EXPECT_EQ(distribution.moments.min, -6);
  EXPECT_EQ(distribution.moments.max, 16777214.5);  // f32 would round it
  EXPECT_EQ(distribution.moments.mean, (0.5 - 6 + 16777214.5) / 4);
}

TEST(Distribution, OfADiffHasBothSidesAndTheError) {
  const TempDir a;
  const TempDir b;
  TestModel model;
  model.Write(a);
  model.SetElement("model.norm.weight", 5, 3);
  model.tensors.erase("model.layers.1.mlp.up_proj.weight");
  model.Write(b);
  TestOptions test;
  DiffPictures pictures;
  const auto diffs =
      Diff(OpenForCheck(a.path()), OpenForCheck(b.path()), 0, test.options, &pictures);
  ASSERT_EQ(pictures.places.places().size(), diffs.size());
  for (size_t i = 0; i < diffs.size(); ++i) {
    const uint64_t compared = diffs[i].kind == TensorDiff::Kind::kOnlyA ? 0 : diffs[i].count;
    EXPECT_EQ(pictures.a[i].moments.count, compared) << diffs[i].name;
    EXPECT_EQ(pictures.b[i].histogram.total(), compared);
    EXPECT_EQ(pictures.error[i].moments.max - pictures.error[i].moments.min > 0,
              diffs[i].name == "model.norm.weight");
    const double squared = pictures.error[i].moments.squares + pictures.error[i].moments.mean *
                                                                   pictures.error[i].moments.mean *
                                                                   static_cast<double>(compared);
    EXPECT_NEAR(squared, diffs[i].squared_error, 1e-12);
  }
}

}  // namespace
}  // namespace lbrx
