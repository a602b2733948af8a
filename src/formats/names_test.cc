#include "formats/names.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace lbrx {
namespace {

TEST(NaturalLess, ComparesRunsOfDigitsByValue) {
  const std::vector<std::string> ordered = {"",
                                            "0",
                                            "1",
                                            "01",
                                            "2",
                                            "10",
                                            "10000000000000000000000",
                                            "20000000000000000000000",
                                            "A",
                                            "a",
                                            "a0",
                                            "a1",
                                            "a1.b",
                                            "a01",
                                            "a001",
                                            "a1b",
                                            "a2",
                                            "a10",
                                            "layers.2",
                                            "layers.2.x",
                                            "layers.10",
                                            "layers.10.x",
                                            "layersx",
                                            "m",
                                            "\xFF"};
  for (size_t i = 0; i < ordered.size(); ++i) {
    for (size_t j = 0; j < ordered.size(); ++j) {
      // "01" and "a01" equal "1" and "a1" by value, and come next to them.
      EXPECT_EQ(NaturalLess(ordered[i], ordered[j]), !NaturalLess(ordered[j], ordered[i]) && i != j)
          << ordered[i] << " " << ordered[j];
    }
  }
  EXPECT_TRUE(NaturalLess("layers.2.x", "layers.10.x"));
  EXPECT_TRUE(NaturalLess("1", "10"));
  EXPECT_TRUE(NaturalLess("9", "10000000000000000000000"));
  EXPECT_TRUE(NaturalLess("x.2", "x.a"));
  EXPECT_TRUE(NaturalLess("a1", "a1b"));
  EXPECT_FALSE(NaturalLess("a10", "a9"));
  EXPECT_FALSE(NaturalLess("same", "same"));
}

std::string RandomName(std::mt19937& random) {
  constexpr std::string_view kAlphabet = "0019.ab-\xC3";
  std::string out;
  for (size_t length = random() % 14; length > 0; --length) {
    out += kAlphabet[random() % kAlphabet.size()];
  }
  return out;
}

TEST(SortNaturally, IsASortByNaturalLess) {
  std::mt19937 random(1);
  for (const std::string prefix : {"", "model.", "x1", "000"}) {
    std::vector<SourceTensor> tensors(500);
    for (SourceTensor& tensor : tensors) {
      tensor.name = prefix + RandomName(random);
    }
    std::vector<SourceTensor> expected = tensors;
    std::sort(expected.begin(), expected.end(),
              [](const auto& a, const auto& b) { return NaturalLess(a.name, b.name); });
    SortNaturally(tensors);
    for (size_t i = 0; i < tensors.size(); ++i) {
      ASSERT_EQ(tensors[i].name, expected[i].name) << i;
    }
  }
  std::vector<SourceTensor> none;
  SortNaturally(none);
  EXPECT_TRUE(none.empty());
}

TEST(NameTable, FindsAndTellsDuplicates) {
  std::vector<StoredArray> arrays(1000);
  for (size_t i = 0; i < arrays.size(); ++i) {
    arrays[i].name = "t" + std::to_string(i % 990);
  }
  const NameTable table(arrays);
  EXPECT_EQ(table.Find("t3"), 3U);
  EXPECT_EQ(table.Find("t989"), 989U);
  EXPECT_EQ(table.Find("t990"), std::nullopt);
  EXPECT_EQ(table.Find(""), std::nullopt);
  const auto duplicates = table.Duplicates();
  ASSERT_EQ(duplicates.size(), 10U);
  EXPECT_EQ(duplicates[0], (std::pair<uint32_t, uint32_t>(0, 990)));
  EXPECT_EQ(duplicates[9], (std::pair<uint32_t, uint32_t>(9, 999)));
  EXPECT_TRUE(NameTable({}).Duplicates().empty());
}

}  // namespace
}  // namespace lbrx
