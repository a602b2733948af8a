#include "model/gguf/general_keys.h"

#include <gtest/gtest.h>

#include "model/architectures/registry.h"

namespace lbrx {
namespace {

std::string LabelOf(uint64_t total) {
  return SizeLabel({.total = total, .shared = total});
}

// As gguf-py's model_weight_count_rounded_notation gives them.
TEST(SizeLabel, RoundsAsGgufPyDoes) {
  EXPECT_EQ(LabelOf(0), "0.00K");
  EXPECT_EQ(LabelOf(999), "1.0K");
  EXPECT_EQ(LabelOf(9499), "9.5K");
  EXPECT_EQ(LabelOf(9500), "10K");
  EXPECT_EQ(LabelOf(336192), "336K");
  EXPECT_EQ(LabelOf(1000000), "1000K");
  EXPECT_EQ(LabelOf(1000001), "1.0M");
  EXPECT_EQ(LabelOf(1235814400), "1.2B");
  EXPECT_EQ(LabelOf(70553706496), "71B");
  EXPECT_EQ(LabelOf(1000000000001), "1.0T");
}

TEST(SizeLabel, CountsOneExpertOfEachStack) {
  ParameterCount count;
  const uint64_t plain[] = {1000, 100};
  const uint64_t stack[] = {4, 100, 50};
  const uint64_t biases[] = {4, 100};
  AddParameters("token_embd.weight", plain, count);
  AddParameters("blk.0.ffn_gate_exps.weight", stack, count);
  AddParameters("blk.0.ffn_gate_exps.bias", biases, count);
  EXPECT_EQ(count.total, 100000U + 20000 + 400);
  EXPECT_EQ(count.shared, 100000U);
  EXPECT_EQ(count.one_expert, 5000U + 100);
  EXPECT_EQ(SizeLabel(count), "4x105K");
}

TEST(AddGeneralKeys, TakesWhatTheCardSays) {
  GgufKeys keys;
  AddGeneralKeys(kMistral,
                 {.folder = "tiny-mistral-v2",
                  .model_card = "---\nlicense: apache-2.0\nlanguage:\n- en\n- \"de\"\n"
                                "base_model: mistralai/Mistral-7B-v0.1\n"
                                "model-index:\n  - name: other\n    results: []\n"
                                "tags: [chat, 'small']\npipeline_tag: text-generation\n---\n"
                                "# Title\nlicense: none\n",
                  .parameters = {.total = 336192, .shared = 336192}},
                 keys);
  EXPECT_EQ(keys.String("general.architecture"), "llama");
  EXPECT_EQ(keys.String("general.type"), "model");
  EXPECT_EQ(keys.String("general.name"), "Tiny Mistral v2");
  EXPECT_EQ(keys.String("general.size_label"), "336K");
  EXPECT_EQ(keys.String("general.license"), "apache-2.0");
  EXPECT_EQ(keys.Uint("general.base_model.count"), 1U);
  EXPECT_EQ(keys.String("general.base_model.0.name"), "Mistral 7B v0.1");
  EXPECT_EQ(keys.String("general.base_model.0.organization"), "Mistralai");
  EXPECT_EQ(keys.String("general.base_model.0.repo_url"),
            "https://huggingface.co/mistralai/Mistral-7B-v0.1");
  const std::vector<std::string> tags = {"chat", "small", "text-generation"};
  const std::vector<std::string> languages = {"en", "de"};
  EXPECT_EQ(*keys.Find("general.tags")->AsStrings(), tags);
  EXPECT_EQ(*keys.Find("general.languages")->AsStrings(), languages);
}

TEST(AddGeneralKeys, InventsNothing) {
  for (const std::string card : {"", "# A model\nlicense: mit\n", "---\nlicense: mit\n"}) {
    GgufKeys keys;
    AddGeneralKeys(kLlama, {.folder = "hf", .model_card = card}, keys);
    EXPECT_EQ(keys.entries().size(), 4U) << card;
    EXPECT_EQ(keys.String("general.name"), "Hf");
  }
}

}  // namespace
}  // namespace lbrx
