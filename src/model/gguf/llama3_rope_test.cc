#include <gtest/gtest.h>

#include "model/gguf/rope.h"

namespace lbrx {
namespace {

// Of Llama 3.1's and 3.2's published config.json, and of small models.
TEST(SolveLlama3, FindsWhatTheFactorsCameFrom) {
  struct Case {
    double base;
    uint64_t head;
    Llama3Rope rope;
  };

  const Case cases[] = {
      {500000, 128, {8, 1, 4, 8192}},    {500000, 64, {32, 1, 4, 8192}},
      {500000, 16, {8, 1, 4, 128}},      {10000, 128, {4, 1, 4, 2048}},
      {1000000, 128, {16, 1, 8, 32768}}, {500000, 128, {8, 1, 2.5, 6000}},
      {500000, 256, {2, 1, 32, 4096}},
  };
  for (const Case& given : cases) {
    const auto found = SolveLlama3(Llama3Divisors(given.base, given.head, given.rope), given.base);
    ASSERT_TRUE(found.has_value()) << given.rope.original_context;
    EXPECT_EQ(found->factor, given.rope.factor);
    EXPECT_EQ(found->low_freq_factor, 1);
    EXPECT_EQ(found->high_freq_factor, given.rope.high_freq_factor);
    EXPECT_EQ(found->original_context, given.rope.original_context);
  }
}

// A scale is free: low_freq_factor 2 with twice the context and twice high_freq_factor is the same.
TEST(SolveLlama3, TakesTheLowFactorForOne) {
  const std::vector<float> divisors = Llama3Divisors(500000, 128, {8, 2, 8, 16384});
  const auto found = SolveLlama3(divisors, 500000);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->high_freq_factor, 4);
  EXPECT_EQ(found->original_context, 8192);
  EXPECT_EQ(Llama3Divisors(500000, 128, *found), divisors);
}

TEST(SolveLlama3, KnowsWhatIsNoLlama3Rope) {
  EXPECT_FALSE(SolveLlama3({}, 10000));
  EXPECT_FALSE(SolveLlama3({8, 4, 2, 1}, 10000));        // falling
  EXPECT_FALSE(SolveLlama3({1, 1.5F, 1.2F, 8}, 10000));  // to and fro
  const auto unscaled = SolveLlama3({1, 1, 1, 1}, 10000);
  ASSERT_TRUE(unscaled.has_value());
  EXPECT_EQ(unscaled->factor, 1);
}

}  // namespace
}  // namespace lbrx
