#include "core/base/plain_text.h"

#include <gtest/gtest.h>

#include <cctype>
#include <string>

namespace lbrx {
namespace {

// This process is in the C locale, whose functions are the oracle.
TEST(PlainTextTest, LettersAndDigitsAreThoseOfTheCLocale) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    EXPECT_EQ(IsAsciiDigit(c), std::isdigit(byte) != 0) << byte;
    EXPECT_EQ(IsAsciiLetter(c), std::isalpha(byte) != 0) << byte;
    EXPECT_EQ(AsciiLower(c), static_cast<char>(std::tolower(byte))) << byte;
    EXPECT_EQ(AsciiUpper(c), static_cast<char>(std::toupper(byte))) << byte;
  }
}

TEST(PlainTextTest, CaseOfWholeTexts) {
  EXPECT_EQ(AsciiLower("IQ2_XS \xC4"), "iq2_xs \xC4");
  EXPECT_TRUE(EqualIgnoringCase("IQ2_xs", "iq2_XS"));
  EXPECT_FALSE(EqualIgnoringCase("IQ2_XS", "IQ2_X"));
  EXPECT_FALSE(EqualIgnoringCase("", "a"));
}

TEST(PlainTextTest, NumbersEndWhereTheyEnd) {
  const std::string text = "0.1e1,5";
  char* end = nullptr;
  EXPECT_EQ(ParseDouble(text.c_str(), &end), 1.0);
  EXPECT_STREQ(end, ",5");
  EXPECT_EQ(ParseFloat(text.c_str(), nullptr), 1.0F);
  EXPECT_EQ(ParseDouble("0.1", nullptr), 0.1);
  EXPECT_EQ(ParseFloat("0.1", nullptr), 0.1F);
}

}  // namespace
}  // namespace lbrx
