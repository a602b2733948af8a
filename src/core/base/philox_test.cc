#include "core/base/philox.h"

#include <gtest/gtest.h>

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
    std::vector<uint32_t> expected(4 * kPhiloxGroup);
    FillPhiloxReference(key, 7, group, 4, expected.data());
    for (const int64_t target : SupportedSimdTargets()) {
      ForceSimdTarget(target);
      std::vector<uint32_t> words(4 * kPhiloxGroup);
      FillPhilox(key, 7, group, 4, words.data());
      EXPECT_EQ(words, expected) << SimdTargetName(target) << " " << group;
    }
    ForceSimdTarget(0);
  }
}

}  // namespace
}  // namespace lbrx
