#include "model/architecture.h"

#include <gtest/gtest.h>

#include <set>

namespace lbrx {
namespace {

TEST(Architecture, FoundByModelTypeElseByClass) {
  Json config = Json::MakeObject();
  config.Set("model_type", "qwen3");
  ASSERT_NE(FindArchitecture(config), nullptr);
  EXPECT_EQ(FindArchitecture(config)->name, "qwen3");

  Json by_class = Json::MakeObject();
  by_class.Set("architectures", Json(Json::Array{Json("MistralForCausalLM")}));
  ASSERT_NE(FindArchitecture(by_class), nullptr);
  EXPECT_EQ(FindArchitecture(by_class)->name, "mistral");

  Json unknown = Json::MakeObject();
  unknown.Set("model_type", "mamba");
  EXPECT_EQ(FindArchitecture(unknown), nullptr);
  EXPECT_EQ(FindArchitecture(Json()), nullptr);
}

TEST(Architecture, ResolvesLayersAndLeaves) {
  Json config = Json::MakeObject();
  config.Set("model_type", "llama");
  const Architecture& llama = *FindArchitecture(config);

  const TensorMeaning up = Resolve(llama, "model.layers.12.mlp.up_proj.weight");
  ASSERT_NE(up.rule, nullptr);
  EXPECT_EQ(up.rule->role, Role::kUp);
  EXPECT_EQ(up.layer, 12U);
  EXPECT_EQ(up.leaf, "weight");

  const TensorMeaning bias = Resolve(llama, "model.layers.0.self_attn.q_proj.bias");
  ASSERT_NE(bias.rule, nullptr);
  EXPECT_EQ(bias.rule->role, Role::kQuery);
  EXPECT_EQ(bias.leaf, "bias");

  EXPECT_EQ(Resolve(llama, "model.layers.x.mlp.up_proj.weight").rule, nullptr);
  EXPECT_EQ(Resolve(llama, "model.layers.3.mlp.up_proj2.weight").rule, nullptr);
  EXPECT_EQ(Resolve(llama, "model.layers.99999999999999999999999.mlp.up_proj.weight").rule,
            nullptr);
  EXPECT_EQ(Resolve(llama, "vision_tower.patch.weight").rule, nullptr);
  EXPECT_EQ(Resolve(llama, "lm_head").rule, nullptr);
}

TEST(Architecture, EveryRowIsSound) {
  std::set<std::string_view> names;
  for (const Architecture* row : Architectures()) {
    SCOPED_TRACE(row->name);
    EXPECT_TRUE(names.insert(row->name).second) << "named twice";
    EXPECT_FALSE(row->summary.empty());
    EXPECT_FALSE(row->classes.empty());
    std::set<std::pair<std::string_view, std::string_view>> patterns;
    std::set<Role> roles;
    for (const TensorRule& rule : row->tensors) {
      EXPECT_TRUE(patterns.insert({rule.pattern, rule.leaf}).second) << rule.pattern;
      roles.insert(rule.role);
      // A name in Hugging Face's spelling is found again, in MLX's too.
      const TensorMeaning numbers{
          .rule = &rule, .layer = 3, .expert = 5, .leaf = "", .second = false};
      const std::string_view leaf = rule.leaf.empty() ? "weight" : rule.leaf;
      EXPECT_EQ(Resolve(*row, Spell(rule.pattern, numbers, leaf)).rule, &rule) << rule.pattern;
      const std::string_view mlx = rule.mlx.empty() ? rule.pattern : rule.mlx;
      const std::string_view mlx_leaf = rule.mlx_leaf.empty() ? leaf : rule.mlx_leaf;
      const TensorMeaning found = ResolveMlx(*row, Spell(mlx, numbers, mlx_leaf));
      ASSERT_NE(found.rule, nullptr) << mlx;
      EXPECT_EQ(found.rule->mlx, rule.mlx);
    }
    EXPECT_TRUE(roles.contains(Role::kTokenEmbedding));
    EXPECT_TRUE(roles.contains(Role::kOutputNorm));
  }
}

}  // namespace
}  // namespace lbrx
