#include "model/config.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace lbrx {
namespace {

Json Parse(std::string_view text) {
  return ParseJson(text, "config.json");
}

std::string Get(const Json& config, std::string_view key) {
  const Json* value = config.Find(key);
  return value == nullptr ? "absent" : WriteJson(*value, {.sort_keys = true});
}

TEST(CompleteConfig, NewSpellingGainsTheOld) {
  Json config = Parse(R"({"dtype": "bfloat16", "rope_parameters": {"rope_type": "llama3",
      "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0}})");
  CompleteConfig(config);
  EXPECT_EQ(Get(config, "torch_dtype"), "\"bfloat16\"");
  EXPECT_EQ(Get(config, "rope_theta"), "500000.0");
  EXPECT_EQ(Get(config, "rope_scaling"),
            R"({"factor":8.0,"low_freq_factor":1.0,"rope_type":"llama3","type":"llama3"})");
}

TEST(CompleteConfig, DefaultRopeIsNullInTheOldSpelling) {
  Json config = Parse(R"({"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0,
      "partial_rotary_factor": 0.25}})");
  CompleteConfig(config);
  EXPECT_EQ(Get(config, "rope_scaling"), "null");
  EXPECT_EQ(Get(config, "partial_rotary_factor"), "0.25");
}

TEST(CompleteConfig, OldSpellingGainsTheNew) {
  Json config = Parse(R"({"torch_dtype": "float16", "rope_theta": 10000.0,
      "rope_scaling": {"type": "linear", "factor": 2.0}})");
  CompleteConfig(config);
  EXPECT_EQ(Get(config, "dtype"), "\"float16\"");
  EXPECT_EQ(Get(config, "rope_parameters"),
            R"({"factor":2.0,"rope_theta":10000.0,"rope_type":"linear"})");
  EXPECT_EQ(Get(config, "rope_scaling"), R"({"factor":2.0,"rope_type":"linear","type":"linear"})");
}

TEST(CompleteConfig, RopePerLayerTypeAndExistingKeysStay) {
  const Json before = Parse(R"({"rope_parameters": {"full_attention": {"rope_type": "default"}},
      "rope_theta": 7, "dtype": "float32", "torch_dtype": "float16"})");
  Json config = before;
  CompleteConfig(config);
  EXPECT_EQ(config, before);
}

// Spellings as transformers 4.57 and 5.24 write them for the same model.
TEST(CompleteConfig, Gemma3RotatesByTypeOfLayer) {
  Json fresh = Parse(R"({"model_type": "gemma3_text", "rope_parameters": {
      "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 2000000.0},
      "sliding_attention": {"rope_type": "default", "rope_theta": 5000.0}},
      "layer_types": ["sliding_attention", "full_attention", "sliding_attention"]})");
  CompleteConfig(fresh);
  EXPECT_EQ(Get(fresh, "rope_theta"), "2000000.0");
  EXPECT_EQ(Get(fresh, "rope_local_base_freq"), "5000.0");
  EXPECT_EQ(Get(fresh, "rope_scaling"), R"({"factor":8.0,"rope_type":"linear","type":"linear"})");
  EXPECT_EQ(Get(fresh, "sliding_window_pattern"), "2");

  Json old = Parse(R"({"model_type": "gemma3_text", "rope_theta": 2000000.0,
      "rope_local_base_freq": 5000.0, "rope_scaling": {"rope_type": "linear", "factor": 8.0}})");
  CompleteConfig(old);
  EXPECT_EQ(Get(old, "rope_parameters"), Get(fresh, "rope_parameters"));
}

TEST(CompleteConfig, SectionsOfPositionsStayInBothSpellings) {
  Json old = Parse(R"({"rope_theta": 10000.0,
      "rope_scaling": {"type": "mrope", "mrope_section": [2, 3, 3]}})");
  CompleteConfig(old);
  EXPECT_EQ(Get(old, "rope_parameters"),
            R"({"mrope_section":[2,3,3],"rope_theta":10000.0,"rope_type":"default"})");
  Json fresh = Parse(R"({"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0,
      "mrope_section": [2, 3, 3]}})");
  CompleteConfig(fresh);
  EXPECT_EQ(Get(fresh, "rope_scaling"),
            R"({"mrope_section":[2,3,3],"rope_type":"default","type":"default"})");
}

TEST(CompleteConfig, IsIdempotent) {
  Json once = Parse(R"({"model_type": "gpt2", "n_positions": 64, "num_local_experts": 4,
      "rope_parameters": {"rope_type": "yarn", "factor": 4.0}, "text_config": {"dtype": "float32"}})");
  CompleteConfig(once);
  Json twice = once;
  CompleteConfig(twice);
  EXPECT_EQ(once, twice);
  EXPECT_EQ(Get(once, "n_ctx"), "64");
  EXPECT_EQ(Get(once, "num_experts"), "4");
  EXPECT_EQ(Get(*once.Find("text_config"), "torch_dtype"), "\"float32\"");
}

TEST(Config, Accessors) {
  Json config = Parse(R"({"text_config": {"torch_dtype": "bfloat16"}, "hidden_size": 64,
      "bad": -1, "none": null, "tie_word_embeddings": true})");
  EXPECT_EQ(ConfigDType(config), DType::kBF16);
  EXPECT_EQ(ConfigUint(config, "hidden_size"), 64U);
  EXPECT_EQ(ConfigUint(config, "none"), std::nullopt);
  EXPECT_THROW(ConfigUint(config, "bad"), Error);
  EXPECT_TRUE(TiedEmbeddings(config, false));
  SetConfigDType(config, DType::kF16);
  EXPECT_EQ(ConfigDType(config), DType::kF16);
}

}  // namespace
}  // namespace lbrx
