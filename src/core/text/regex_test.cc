#include "core/text/regex.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace lbrx {
namespace {

TEST(Regex, SearchesAnywhereAndKeepsCase) {
  const Regex regex("layers\\.[0-3]\\.");
  EXPECT_TRUE(regex.Search("model.layers.2.mlp.up_proj.weight"));
  EXPECT_FALSE(regex.Search("model.layers.4.mlp.up_proj.weight"));
  EXPECT_FALSE(Regex("LAYERS").Search("model.layers.2"));
  EXPECT_TRUE(Regex("(?=.*attn)(?!.*bias)").Search("self_attn.q_proj.weight"));
}

TEST(Regex, RefusesBadPatternsWithThePosition) {
  try {
    const Regex regex("a(b");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_NE(std::string(error.what()).find("position 3"), std::string::npos) << error.what();
  }
}

TEST(Regex, InvalidUtf8DoesNotMatch) {
  EXPECT_FALSE(Regex(".").Search("\xff\xfe"));
}

TEST(Regex, EndlessBacktrackingIsALimit) {
  try {
    Regex("(a+)+(b|c)$").Search(std::string(60, 'a') + "d");
    FAIL() << "matched";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kLimit);
  }
}

}  // namespace
}  // namespace lbrx
