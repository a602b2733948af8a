#include "check/compare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace lbrx {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

ComparisonSums CompareVectors(const std::vector<float>& a, const std::vector<float>& b) {
  return Compare(std::span(a), std::span(b));
}

TEST(Compare, SumsExactlyOverWholeAndPartBlocks) {
  // 11 elements: one block of 8 lanes and a rest of 3. All values exact in binary.
  const std::vector<float> a = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  const std::vector<float> b = {-0.5F, 0.5F, 1.5F, 2.5F, 3.5F, 4.5F, 5.5F, 6.5F, 7.5F, 11, 9.5F};
  const ComparisonSums sums = CompareVectors(a, b);
  EXPECT_EQ(sums.count, 11U);
  EXPECT_EQ(sums.max_difference, 2);
  EXPECT_EQ(sums.squared_difference, 10 * 0.25 + 4);
  EXPECT_EQ(sums.squared_a, 385);
  // Without i = 9: sum of i^2 is 304, of i 46; so of (i - .5)^2 260.5 and of i (i - .5) 281.
  EXPECT_EQ(sums.squared_b, 260.5 + 11 * 11);
  EXPECT_EQ(sums.product, 281 + 9 * 11);
}

TEST(Compare, DerivesRmseAndCosineFromTheSums) {
  ComparisonSums sums;
  sums.count = 11;
  sums.max_difference = 2;
  sums.squared_difference = 6.5;
  sums.squared_a = 385;
  sums.squared_b = 381.5;
  sums.product = 380;
  EXPECT_DOUBLE_EQ(sums.Rmse(), std::sqrt(6.5 / 11));
  EXPECT_DOUBLE_EQ(sums.Cosine(), 380 / std::sqrt(385 * 381.5));
}

TEST(Compare, TakesEqualNonFiniteValuesForEqual) {
  const ComparisonSums equal = CompareVectors({1, kNan, kInf, -kInf}, {1, -kNan, kInf, -kInf});
  EXPECT_EQ(equal.max_difference, 0);
  EXPECT_EQ(equal.Rmse(), 0);
  EXPECT_EQ(equal.Cosine(), 1);
  EXPECT_EQ(CompareVectors({0.0F}, {-0.0F}).max_difference, 0);
}

TEST(Compare, TakesANonFiniteValueOnOneSideForAnInfiniteDifference) {
  for (const float odd : {kNan, kInf, -kInf}) {
    const ComparisonSums sums = CompareVectors({3, 1, odd}, {3, 1, 4});
    EXPECT_EQ(sums.max_difference, kInf);
    EXPECT_EQ(sums.Rmse(), kInf);
    EXPECT_DOUBLE_EQ(sums.Cosine(), 1) << "of the two finite pairs";
  }
  EXPECT_EQ(CompareVectors({kInf}, {-kInf}).max_difference, kInf);
}

TEST(Compare, CosineOfZerosAndOpposites) {
  EXPECT_EQ(CompareVectors({0, 0}, {0, 0}).Cosine(), 1);
  EXPECT_EQ(CompareVectors({0, 0}, {0, 1}).Cosine(), 0);
  EXPECT_DOUBLE_EQ(CompareVectors({1, 2}, {-1, -2}).Cosine(), -1);
  EXPECT_DOUBLE_EQ(CompareVectors({1, 0}, {0, 1}).Cosine(), 0);
  EXPECT_EQ(CompareVectors({}, {}).Rmse(), 0);
}

TEST(Compare, DoublesKeepWhatFloatsLose) {
  const std::vector<double> a = {16777217, 1e300};
  const std::vector<double> b = {16777216, 1e300};
  const ComparisonSums sums = Compare(std::span(a), std::span(b));
  EXPECT_EQ(sums.max_difference, 1);
}

TEST(CompareBytes, DiffersByAnyByte) {
  const std::vector<std::byte> a = {std::byte{1}, std::byte{2}};
  std::vector<std::byte> b = a;
  EXPECT_EQ(CompareBytes(a, b).max_difference, 0);
  b[1] = std::byte{3};
  EXPECT_EQ(CompareBytes(a, b).max_difference, kInf);
}

}  // namespace
}  // namespace lbrx
