#include "quant/recipes.h"

#include <gtest/gtest.h>

#include <string>

namespace lbrx {
namespace {

TEST(MixedRecipes, NamesAreFoundInAnyCase) {
  ASSERT_TRUE(MixedRecipeByName("Mixed_3_6"));
  EXPECT_EQ(MixedRecipeByName("mixed_3_6")->low_bits, 3);
  EXPECT_EQ(MixedRecipeByName("mixed_3_6")->high_bits, 6);
  EXPECT_FALSE(MixedRecipeByName("mixed_9_9"));
  EXPECT_FALSE(MixedRecipeByName("mixed_3_6_"));
}

// mlx-lm 0.32.2's predicate for 22 layers: 22 // 8 = 2, 7 * 22 // 8 = 19.
TEST(MixedRecipes, LayersThatGetMoreBits) {
  const MixedRecipe recipe = *MixedRecipeByName("mixed_2_6");
  std::string high;
  for (uint64_t layer = 0; layer < 22; ++layer) {
    const std::string prefix = "model.layers." + std::to_string(layer);
    const uint8_t bits = BitsFor(recipe, prefix + ".mlp.down_proj", layer, 22);
    EXPECT_EQ(BitsFor(recipe, prefix + ".self_attn.v_proj", layer, 22), bits);
    EXPECT_EQ(BitsFor(recipe, prefix + ".mlp.switch_mlp.down_proj", layer, 22), bits);
    EXPECT_EQ(BitsFor(recipe, prefix + ".self_attn.q_proj", layer, 22), 2);
    high += bits == 6 ? 'x' : '.';
  }
  EXPECT_EQ(high, "xx..x..x..x..x..x..xxx");
  EXPECT_EQ(BitsFor(recipe, "lm_head", 0, 22), 6);
  EXPECT_EQ(BitsFor(recipe, "model.embed_tokens", 0, 22), 2);
}

}  // namespace
}  // namespace lbrx
