// Configs that llama.cpp cannot run, or computes otherwise; for the usual see gguf_config_test.cc.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/format.h"
#include "model/config.h"
#include "model/gguf/gguf_config.h"

namespace lbrx {
namespace {

constexpr std::string_view kSizes =
    R"("num_hidden_layers": 3, "hidden_size": 64, "intermediate_size": 96, "vocab_size": 100,
       "num_attention_heads": 4, "max_position_embeddings": 512)";

struct Result {
  GgufKeys keys;
  std::string notices;
  std::string error;
};

Result Write(std::string_view model_type, std::string_view members = "") {
  Json config = ParseJson(Format(R"({{"model_type": "{}", {}{}{}}})", model_type, kSizes,
                                 members.empty() ? "" : ", ", members),
                          "config.json");
  CompleteConfig(config);
  Result result;
  std::vector<std::string> notices;
  try {
    AddModelKeys(*FindArchitecture(config), config, result.keys, notices);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    result.error = error.what();
  }
  for (const std::string& notice : notices) {
    result.notices += notice + "\n";
  }
  return result;
}

bool Says(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(AddModelKeys, RefusesRopeThatLlamaCppHasNot) {
  constexpr std::string_view kLlama3 =
      R"("rope_theta": 10000.0, "rope_scaling": {"rope_type": "llama3", "factor": 8.0})";
  EXPECT_EQ(Write("llama", kLlama3).error, "");
  EXPECT_TRUE(Says(Write("qwen2", kLlama3).error, "qwen2 has no rope of type llama3"));
  EXPECT_TRUE(Says(Write("smollm3", kLlama3).error, "llama3"));
  EXPECT_TRUE(Says(Write("llama", R"("rope_scaling": {"type": "ntk", "factor": 2.0})").error,
                   "no rope of type ntk"));
  EXPECT_TRUE(Says(Write("llama", R"("rope_scaling": {"type": "linear"})").error, "factor"));
  EXPECT_TRUE(Says(Write("phi3", R"("rope_scaling": {"type": "linear", "factor": 2.0})").error,
                   "longrope only"));
  EXPECT_TRUE(Says(Write("cohere", R"("rope_scaling": {"type": "linear", "factor": 2.0})").error,
                   "does not scale"));
  EXPECT_TRUE(Says(Write("llama", R"("rope_theta": 1e4, "partial_rotary_factor": 0.5)").error,
                   "rotates whole heads"));
  EXPECT_TRUE(Says(Write("glm4", R"("rope_theta": 1e4, "partial_rotary_factor": -1)").error,
                   "between 0 and 1"));
  EXPECT_TRUE(Says(
      Write("phi3", R"("rope_scaling": {"type": "su", "long_factor": [1, 2], "short_factor": [1]})")
          .error,
      "as many long factors"));
}

TEST(AddModelKeys, DynamicRopeIsTold) {
  const Result result = Write("llama", R"("rope_scaling": {"type": "dynamic", "factor": 2.0})");
  EXPECT_EQ(result.error, "");
  EXPECT_TRUE(Says(result.notices, "dynamic")) << result.notices;
  EXPECT_EQ(result.keys.Find("llama.rope.scaling.type"), nullptr);
}

// llama.cpp has its own constants, whatever the keys say.
TEST(AddModelKeys, WhatYarnIsComputedWithIsTold) {
  const auto told = [](std::string_view member) {
    return Write("qwen3", Format(R"("rope_theta": 10000.0, "rope_scaling": {{"type": "yarn",
        "factor": 4.0, {}}})",
                                 member))
        .notices;
  };
  EXPECT_EQ(told(R"("beta_fast": 32, "beta_slow": 1, "attention_factor": 1.1386294361)"), "");
  EXPECT_TRUE(Says(told(R"("beta_fast": 24)"), "beta_fast = 24"));
  EXPECT_TRUE(Says(told(R"("attention_factor": 1.5)"), "computes with 1.138629"));
  EXPECT_TRUE(Says(told(R"("truncate": false)"), "truncate"));
}

TEST(AddModelKeys, LongRopeOfLlama) {
  const Result result = Write("llama", R"("original_max_position_embeddings": 128,
      "rope_scaling": {"type": "longrope", "long_factor": [2, 2, 3, 3, 4, 4, 5, 5],
                       "short_factor": [1, 1, 1, 1, 1, 1, 1, 1]})");
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.keys.String("llama.rope.scaling.type"), "longrope");
  EXPECT_EQ(result.keys.Uint("llama.rope.scaling.original_context_length"), 128U);
  // sqrt(1 + ln 4 / ln 128)
  EXPECT_NEAR(result.keys.Number("llama.rope.scaling.attn_factor").value_or(0), 1.133893419, 1e-7);
}

TEST(AddModelKeys, TellsWhatIsComputedOtherwise) {
  EXPECT_TRUE(Says(Write("llama", R"("hidden_act": "gelu")").notices, "hidden_act = \"gelu\""));
  EXPECT_TRUE(Says(Write("mistral", R"("sliding_window": 256)").notices, "sliding_window = 256"));
  EXPECT_EQ(Write("mistral", R"("sliding_window": 512)").notices, "");
  EXPECT_EQ(Write("qwen2", R"("sliding_window": 9, "use_sliding_window": false)").notices, "");
  EXPECT_TRUE(Says(Write("qwen3_moe").notices, "norm_topk_prob = false"));
  EXPECT_TRUE(Says(Write("gemma2", R"("head_dim": 64)").notices, "llama.cpp computes with 64"));
  EXPECT_TRUE(Says(Write("deepseek_v3").notices, "scoring_func"));
  EXPECT_TRUE(Says(Write("deepseek_v3", R"("scoring_func": "sigmoid", "rope_theta": 10000.0,
      "rope_scaling": {"type": "yarn", "factor": 4.0, "mscale": 0.5, "mscale_all_dim": 1.0})")
                       .notices,
                   "mscale = 0.5"));
}

TEST(AddModelKeys, RefusesOtherKindsOfLayers) {
  EXPECT_TRUE(Says(Write("smollm3", R"("no_rope_layers": [0, 1, 1])").error, "every fourth layer"));
  EXPECT_TRUE(Says(Write("smollm3", R"("no_rope_layer_interval": 2)").error, "every fourth layer"));
  EXPECT_EQ(Write("smollm3", R"("no_rope_layers": [1, 1, 1])").error, "");
  EXPECT_TRUE(Says(Write("gpt_oss", R"("layer_types": ["full_attention"])").error, "each layer"));
  EXPECT_TRUE(Says(Write("gpt_oss", R"("layer_types": ["a", "b", "c"])").error, "kind of layer"));
  EXPECT_TRUE(Says(Write("deepseek_v3", R"("scoring_func": "softmax")").error, "DeepSeek V3"));
}

// The pattern is written only where it is not llama.cpp's own.
TEST(AddModelKeys, PatternsOfWindows) {
  const Result usual = Write("gemma2");
  EXPECT_EQ(usual.keys.Uint("gemma2.attention.sliding_window"), 4096U);
  EXPECT_EQ(usual.keys.Find("gemma2.attention.sliding_window_pattern"), nullptr);
  const Result other = Write("gemma3_text", R"("sliding_window_pattern": 2)");
  const GgufValue* pattern = other.keys.Find("gemma3.attention.sliding_window_pattern");
  ASSERT_NE(pattern, nullptr);
  EXPECT_EQ(pattern->type(), GgufType::kBool);
  const std::vector<std::byte> slides = {std::byte{1}, std::byte{0}, std::byte{1}};
  EXPECT_TRUE(
      std::equal(slides.begin(), slides.end(), pattern->bytes().begin(), pattern->bytes().end()));
  const Result none = Write("gemma3_text", R"("sliding_window_pattern": 1)");
  EXPECT_EQ(none.keys.Find("gemma3.attention.sliding_window"), nullptr);

  std::vector<std::string> notices;
  const Json back = ConfigFromKeys(other.keys, {.vocabulary = 100}, notices);
  EXPECT_EQ(WriteJson(*back.Find("layer_types")),
            R"(["sliding_attention","full_attention","sliding_attention"])");
  EXPECT_EQ(*back.Find("sliding_window_pattern"), Json(uint64_t{2}));
}

TEST(AddModelKeys, WidthsAndContextsAsTheModelHasThem) {
  const Result gpt2 =
      Write("gpt2", R"("n_layer": 2, "n_embd": 32, "n_head": 2, "n_inner": 48, "n_positions": 64)");
  EXPECT_EQ(gpt2.keys.Uint("gpt2.feed_forward_length"), 48U);
  const Result cohere = Write("cohere", R"("model_max_length": 131072)");
  EXPECT_EQ(cohere.keys.Uint("command-r.context_length"), 131072U);
  EXPECT_EQ(Write("granite", R"("head_dim": 16)").keys.Find("granite.attention.key_length"),
            nullptr);
  EXPECT_EQ(Write("granite", R"("head_dim": 32)").keys.Uint("granite.attention.key_length"), 32U);
}

TEST(AddModelKeys, NamesWhatIsMissingOrOutOfRange) {
  EXPECT_TRUE(Says(Write("qwen2_moe", R"("num_experts": null)").error, "num_experts"));
  EXPECT_TRUE(Says(Write("llama", R"("head_dim": 99999)").error, "head_dim"));
  EXPECT_TRUE(Says(Write("llama", R"("rms_norm_eps": "small")").error, "rms_norm_eps"));
  EXPECT_TRUE(Says(Write("mixtral", R"("num_local_experts": 4294967296)").error, "32 bits"));
}

}  // namespace
}  // namespace lbrx
