#include "core/base/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace lbrx {
namespace {

TEST(CounterRandomTest, AnyCutGivesTheSameWords) {
  const CounterRandom random(42, "model.norm.weight", 1);
  std::vector<uint32_t> whole(1000);
  random.Fill(0, whole.size(), whole.data());
  for (const size_t first : {0U, 1U, 31U, 32U, 33U, 500U}) {
    for (const size_t count : {1U, 7U, 32U, 64U, 100U, 499U}) {
      std::vector<uint32_t> part(count);
      random.Fill(first, count, part.data());
      EXPECT_EQ(part, std::vector(whole.begin() + static_cast<std::ptrdiff_t>(first),
                                  whole.begin() + static_cast<std::ptrdiff_t>(first + count)));
    }
  }
}

TEST(CounterRandomTest, SeedNameAndStreamGiveOtherWords) {
  const auto words = [](uint64_t seed, const char* name, uint32_t stream) {
    std::vector<uint32_t> out(64);
    CounterRandom(seed, name, stream).Fill(0, out.size(), out.data());
    return out;
  };
  const std::vector<uint32_t> some = words(1, "a", 0);
  EXPECT_EQ(some, words(1, "a", 0));
  EXPECT_NE(some, words(2, "a", 0));
  EXPECT_NE(some, words(uint64_t{1} << 40 | 1, "a", 0));
  EXPECT_NE(some, words(1, "b", 0));
  EXPECT_NE(some, words(1, "a", 1));
}

// Mean and variance of the bits of a million words, each within five standard deviations.
TEST(CounterRandomTest, BitsAreEven) {
  constexpr size_t kWords = size_t{1} << 20;
  std::vector<uint32_t> words(kWords);
  CounterRandom(0, "lm_head.weight", 3).Fill(uint64_t{1} << 34, kWords, words.data());
  for (int bit = 0; bit < 32; ++bit) {
    size_t ones = 0;
    size_t changes = 0;
    for (size_t i = 0; i < kWords; ++i) {
      ones += words[i] >> bit & 1;
      changes += i > 0 ? (words[i] ^ words[i - 1]) >> bit & 1 : 0;
    }
    EXPECT_NEAR(static_cast<double>(ones), kWords / 2.0, 5 * std::sqrt(kWords / 4.0)) << bit;
    EXPECT_NEAR(static_cast<double>(changes), kWords / 2.0, 5 * std::sqrt(kWords / 4.0)) << bit;
  }
}

}  // namespace
}  // namespace lbrx
