#include "convert/allocate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace lbrx {
namespace {

using Tensors = std::vector<std::vector<Choosable>>;

double ErrorOf(const Tensors& tensors, const std::vector<size_t>& ways) {
  double sum = 0;
  for (size_t i = 0; i < ways.size(); ++i) {
    sum += tensors[i][ways[i]].error;
  }
  return sum;
}

uint64_t BytesOf(const Tensors& tensors, const std::vector<size_t>& ways) {
  uint64_t sum = 0;
  for (size_t i = 0; i < ways.size(); ++i) {
    sum += tensors[i][ways[i]].bytes;
  }
  return sum;
}

// Every combination, for as few tensors as that takes.
double BestByTrial(const Tensors& tensors, uint64_t budget) {
  double best = std::numeric_limits<double>::infinity();
  std::vector<size_t> ways(tensors.size(), 0);
  for (;;) {
    if (BytesOf(tensors, ways) <= budget) {
      best = std::min(best, ErrorOf(tensors, ways));
    }
    size_t i = 0;
    while (i < ways.size() && ++ways[i] == tensors[i].size()) {
      ways[i++] = 0;
    }
    if (i == ways.size()) {
      return best;
    }
  }
}

// Tensors of a few sizes, errors falling about fourfold a bit, as quantization's do.
Tensors RandomTensors(std::mt19937& random, size_t count) {
  std::uniform_real_distribution<double> spread(0.5, 2.0);
  Tensors tensors(count);
  for (std::vector<Choosable>& ways : tensors) {
    const uint64_t size = uint64_t{1000} << random() % 4;
    const double scale = spread(random) * static_cast<double>(size);
    for (const uint64_t bits : {2, 3, 4, 6, 8}) {
      ways.push_back({.bytes = size * bits / 8,
                      .error = scale * std::pow(4.0, -static_cast<double>(bits)) * spread(random)});
    }
  }
  return tensors;
}

TEST(AllocateTest, IsWithinFivePercentOfTheBestCombination) {
  std::mt19937 random(4);
  double total = 0;
  double best = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const Tensors tensors = RandomTensors(random, 6);
    const uint64_t least = BytesOf(tensors, std::vector<size_t>(6, 0));
    const uint64_t budget = least + random() % (3 * least);
    const auto ways = Allocate(tensors, budget);
    ASSERT_TRUE(ways.has_value());
    EXPECT_LE(BytesOf(tensors, *ways), budget);
    total += ErrorOf(tensors, *ways);
    best += BestByTrial(tensors, budget);
  }
  EXPECT_LE(total, best * 1.05);
}

TEST(AllocateTest, ABudgetOfTheSmallestWaysTakesThem) {
  const Tensors tensors = {{{10, 5.0}, {20, 1.0}}, {{30, 0.5}, {10, 2.0}}};
  const auto ways = Allocate(tensors, 20);
  ASSERT_TRUE(ways.has_value());
  EXPECT_EQ(*ways, (std::vector<size_t>{0, 1}));
  EXPECT_FALSE(Allocate(tensors, 19).has_value());
}

TEST(AllocateTest, ALargeBudgetTakesTheLeastErrorAtTheLeastBytes) {
  const Tensors tensors = {{{10, 5.0}, {20, 1.0}, {30, 1.0}}, {{10, 0.0}, {8, 0.0}}};
  const auto ways = Allocate(tensors, 1000);
  ASSERT_TRUE(ways.has_value());
  EXPECT_EQ(*ways, (std::vector<size_t>{1, 1}));
}

TEST(AllocateTest, MoreBytesNeverMeanMoreError) {
  std::mt19937 random(5);
  const Tensors tensors = RandomTensors(random, 40);
  const uint64_t least = BytesOf(tensors, std::vector<size_t>(40, 0));
  double before = std::numeric_limits<double>::infinity();
  for (uint64_t percent = 100; percent <= 400; percent += 20) {
    const auto ways = Allocate(tensors, least * percent / 100);
    ASSERT_TRUE(ways.has_value());
    const double error = ErrorOf(tensors, *ways);
    EXPECT_LE(error, before) << percent;
    before = error;
  }
}

TEST(AllocateTest, NoTensorsNeedNoBytes) {
  const auto ways = Allocate({}, 0);
  ASSERT_TRUE(ways.has_value());
  EXPECT_TRUE(ways->empty());
}

}  // namespace
}  // namespace lbrx
