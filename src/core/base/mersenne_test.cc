#include "core/base/mersenne.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>
#include <vector>

namespace lbrx {
namespace {

std::vector<uint32_t> FromLibrary(uint32_t seed, size_t count) {
  std::mt19937 generator(seed);
  std::vector<uint32_t> words(count);
  for (uint32_t& word : words) {
    word = static_cast<uint32_t>(generator());
  }
  return words;
}

TEST(MersenneTest, IsTheStandardLibrarysGenerator) {
  for (const uint32_t seed : {0U, 42U, 0xFFFFFFFFU}) {
    std::vector<uint32_t> words(5000);
    MersenneStream(seed).Fill(0, words.size(), words.data());
    EXPECT_EQ(words, FromLibrary(seed, words.size())) << seed;
  }
}

// Forwards, backwards, far enough that the marks are thinned out several times.
TEST(MersenneTest, AnyPartInAnyOrder) {
  constexpr size_t kWords = 60'000'000;
  const std::vector<uint32_t> expected = FromLibrary(42, kWords);
  MersenneStream stream(42);
  uint64_t place = 1;
  for (int i = 0; i < 40; ++i) {
    place = place * 6364136223846793005U + 1442695040888963407U;
    const uint64_t first = (place >> 33) % (kWords - 3000);
    std::vector<uint32_t> words(1 + place % 3000);
    stream.Fill(first, words.size(), words.data());
    ASSERT_TRUE(std::equal(words.begin(), words.end(),
                           expected.begin() + static_cast<std::ptrdiff_t>(first)))
        << first << " " << words.size();
  }
}

TEST(MersenneTest, ThreadsShareAStream) {
  constexpr size_t kPart = 10'000;
  constexpr size_t kParts = 64;
  const std::vector<uint32_t> expected = FromLibrary(7, kPart * kParts);
  const std::shared_ptr<MersenneStream> stream = MersenneStream::Shared(7);
  EXPECT_EQ(stream, MersenneStream::Shared(7));
  EXPECT_NE(stream, MersenneStream::Shared(8));
  std::vector<uint32_t> words(expected.size());
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (size_t part = t; part < kParts; part += 4) {
        stream->Fill(part * kPart, kPart, words.data() + part * kPart);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(words, expected);
}

}  // namespace
}  // namespace lbrx
