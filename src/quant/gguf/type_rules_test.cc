#include "quant/gguf/type_rules.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace lbrx {
namespace {

TEST(TypeRules, SplitAtTheLastEquals) {
  const TypeRule rule = ParseTypeRule("(?=.*attn)v=q6_k");
  EXPECT_EQ(rule.type->name, "Q6_K");
  EXPECT_EQ(rule.pattern.pattern(), "(?=.*attn)v");
}

TEST(TypeRules, AFileHasOneAWord) {
  const auto rules = ParseTypeRules("\n attn_q=q8_0\tffn_down=F16\r\nblk\\.0=iq4_nl", "rules.txt");
  ASSERT_EQ(rules.size(), 3U);
  EXPECT_EQ(rules[0].type->name, "Q8_0");
  EXPECT_EQ(rules[1].pattern.pattern(), "ffn_down");
  EXPECT_EQ(rules[2].type->name, "IQ4_NL");
  EXPECT_TRUE(ParseTypeRules(" \n", "rules.txt").empty());
}

TEST(TypeRules, ErrorsTellWhere) {
  for (const char* bad : {"attn_q", "=q8_0", "attn_q=", "attn_q=q9_0", "attn_(=q8_0"}) {
    EXPECT_THROW(ParseTypeRule(bad), Error) << bad;
    try {
      ParseTypeRules(std::string("a=f16 ") + bad, "rules.txt");
      ADD_FAILURE() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      EXPECT_EQ(error.detail().file, "rules.txt");
      EXPECT_EQ(error.detail().offset, 6U);
    }
  }
}

}  // namespace
}  // namespace lbrx
