#include "quant/gguf/tensor_names.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace lbrx {
namespace {

TEST(GgufLayer, ReadsTheNumberOfABlock) {
  EXPECT_EQ(GgufLayer("blk.0.attn_q.weight"), 0);
  EXPECT_EQ(GgufLayer("blk.127.ffn_up.weight"), 127);
  EXPECT_EQ(GgufLayer("blk.99999999999999999999999.x"), 2147483647);
  EXPECT_EQ(GgufLayer("blk..x"), std::nullopt);
  EXPECT_EQ(GgufLayer("blk.-1.x"), std::nullopt);
  EXPECT_EQ(GgufLayer("enc.blk.3.x"), std::nullopt);
  EXPECT_EQ(GgufLayer("output.weight"), std::nullopt);
}

TEST(GgufTensorOrder, OutsideLayersFirstThenByNumberThenByName) {
  const std::vector<std::string> expected = {
      "enc.blk.0.x.weight", "output.weight",       "token_embd.weight",    "blk.2.attn_k.weight",
      "blk.2.attn_q.bias",  "blk.2.attn_q.weight", "blk.10.attn_k.weight",
  };
  std::vector<std::string> names(expected.rbegin(), expected.rend());
  std::sort(names.begin(), names.end(), GgufTensorOrder());
  EXPECT_EQ(names, expected);
}

TEST(IsQuantizable, WeightsButNotNormsAndRouters) {
  EXPECT_TRUE(IsQuantizable("blk.0.attn_q.weight", "llama"));
  EXPECT_FALSE(IsQuantizable("blk.0.attn_q.bias", "llama"));
  EXPECT_FALSE(IsQuantizable("blk.0.attn_q_norm.weight", "llama"));
  EXPECT_FALSE(IsQuantizable("blk.0.ffn_gate_inp.weight", "llama"));
  EXPECT_FALSE(IsQuantizable("position_embd.weight", "bert"));
  EXPECT_FALSE(IsQuantizable("v.position_embd.weight", "clip"));
  EXPECT_TRUE(IsQuantizable("blk.0.attn_k_b.weight", "deepseek2"));
  EXPECT_FALSE(IsQuantizable("blk.0.attn_k_b.weight", "glm5-next"));
  EXPECT_FALSE(IsQuantizable("", "llama"));
}

}  // namespace
}  // namespace lbrx
