#include "core/base/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/base/cpu.h"

namespace lbrx {
namespace {

// The vectors that the authors give with their implementation (Random123, kat_vectors).
TEST(PhiloxTest, GivesItsAuthorsVectors) {
  EXPECT_EQ(Philox({0, 0, 0, 0}, {0, 0}),
            (PhiloxCounter{0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8}));
  EXPECT_EQ(Philox({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, {0xFFFFFFFF, 0xFFFFFFFF}),
            (PhiloxCounter{0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD}));
  EXPECT_EQ(Philox({0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344}, {0xA4093822, 0x299F31D0}),
            (PhiloxCounter{0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1}));
}

TEST(PhiloxTest, EveryTargetGivesTheReferencesWords) {
  const PhiloxKey key = {0xA4093822, 0x299F31D0};
  for (const uint64_t group : {uint64_t{0}, uint64_t{12345}, (uint64_t{1} << 29) - 2}) {
    std::vector<uint32_t> expected(4 * 32);
    FillPhiloxReference(key, 7, group, 4, expected.data());
    for (const int64_t target : SupportedSimdTargets()) {
      ForceSimdTarget(target);
      std::vector<uint32_t> words(4 * 32);
      FillPhilox(key, 7, group, 4, words.data());
      EXPECT_EQ(words, expected) << SimdTargetName(target) << " " << group;
    }
    ForceSimdTarget(0);
  }
}

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
