#include "core/base/format.h"

#include <gtest/gtest.h>

#include <utility>

#include "core/base/checked.h"
#include "core/base/error.h"

namespace lbrx {
namespace {

TEST(FormatTest, FormatsAsFmtDoes) {
  EXPECT_EQ(Format("{:>5}|{:04x}|{:.2f}|{}", 42, 255, 1.005, "text"), "   42|00ff|1.00|text");
  EXPECT_EQ(Format("{}", 0.1F), "0.1");
}

TEST(FormatTest, BytesHaveThreeDigits) {
  const std::pair<uint64_t, const char*> expected[] = {
      {0, "0 B"},           {999, "999 B"},         {1000, "1 kB"},   {1536, "1.54 kB"},
      {4500000, "4.5 MB"},  {999499, "999 kB"},     {999500, "1 MB"}, {141200000000, "141 GB"},
      {5000000000, "5 GB"}, {UINT64_MAX, "18.4 EB"}};
  for (const auto& [bytes, text] : expected) {
    EXPECT_EQ(FormatBytes(bytes), text);
  }
}

TEST(FormatTest, ParsesSizes) {
  const std::pair<const char*, uint64_t> expected[] = {{"0", 0},
                                                       {"4096", 4096},
                                                       {"7B", 7},
                                                       {"5GB", 5000000000},
                                                       {"5 GB", 5000000000},
                                                       {"5gb", 5000000000},
                                                       {"5G", 5000000000},
                                                       {"512MiB", 512 << 20},
                                                       {"1KiB", 1024},
                                                       {"1kb", 1000},
                                                       {"1.5GB", 1500000000},
                                                       {"0.5KiB", 512},
                                                       {"2.25MiB", 2359296},
                                                       {"3TB", 3000000000000},
                                                       {"1TiB", uint64_t{1} << 40},
                                                       {"18446744073709551615", UINT64_MAX},
                                                       {"16383PiB", uint64_t{16383} << 50}};
  for (const auto& [text, bytes] : expected) {
    EXPECT_EQ(ParseBytes(text), bytes) << text;
  }
}

TEST(FormatTest, RefusesWhatIsNoSize) {
  for (const char* text : {"",
                           "GB",
                           "-1",
                           "+1",
                           " 1",
                           "1 ",
                           "1.",
                           ".5GB",
                           "1.5.5",
                           "1.23456GB",
                           "1e9",
                           "0x10",
                           "5XB",
                           "5GBB",
                           "5GiBs",
                           "1,5GB",
                           "nan",
                           "inf",
                           "18446744073709551616",
                           "16384PiB",
                           "20000000TB"}) {
    try {
      ParseBytes(text);
      ADD_FAILURE() << "accepted " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage) << text;
      EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
    }
  }
}

TEST(CheckedTest, FindsOverflow) {
  EXPECT_EQ(CheckedMul(UINT32_MAX, UINT32_MAX), uint64_t{UINT32_MAX} * UINT32_MAX);
  EXPECT_EQ(CheckedMul(uint64_t{1} << 32, uint64_t{1} << 32), std::nullopt);
  EXPECT_EQ(CheckedMul(0, UINT64_MAX), 0U);
  EXPECT_EQ(CheckedAdd(UINT64_MAX, 0), UINT64_MAX);
  EXPECT_EQ(CheckedAdd(UINT64_MAX, 1), std::nullopt);
  EXPECT_EQ(RoundUp(0, 32), 0U);
  EXPECT_EQ(RoundUp(33, 32), 64U);
  EXPECT_EQ(CeilDiv(33, 32), 2U);
}

}  // namespace
}  // namespace lbrx
