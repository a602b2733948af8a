// Files that are wrong, old or foreign; for what is right see gguf_config_test.cc.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "model/gguf/gguf_config.h"

namespace lbrx {
namespace {

GgufKeys LlamaKeys() {
  GgufKeys keys;
  keys.Set("general.architecture", GgufValue::String("llama"));
  keys.Set("llama.block_count", GgufValue::U32(2));
  keys.Set("llama.context_length", GgufValue::U32(512));
  keys.Set("llama.embedding_length", GgufValue::U32(64));
  keys.Set("llama.feed_forward_length", GgufValue::U32(128));
  keys.Set("llama.attention.head_count", GgufValue::U32(4));
  keys.Set("llama.attention.layer_norm_rms_epsilon", GgufValue::F32(1e-5F));
  return keys;
}

Json Read(const GgufKeys& keys, const GgufTensorFacts& facts = {.vocabulary = 100},
          std::vector<std::string>* notices = nullptr) {
  std::vector<std::string> heard;
  Json config = ConfigFromKeys(keys, facts, heard);
  if (notices != nullptr) {
    *notices = heard;
  }
  return config;
}

std::string Get(const Json& config, std::string_view member) {
  const Json* value = config.Find(member);
  return value == nullptr ? "absent" : WriteJson(*value);
}

// The message where reading fails.
std::string Failure(const GgufKeys& keys, const GgufTensorFacts& facts = {.vocabulary = 100}) {
  try {
    Read(keys, facts);
    return "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    return error.what();
  }
}

TEST(ConfigFromKeys, FewKeysAreEnough) {
  const Json config = Read(LlamaKeys());
  EXPECT_EQ(Get(config, "architectures"), R"(["LlamaForCausalLM"])");
  EXPECT_EQ(Get(config, "num_key_value_heads"), "4");
  EXPECT_EQ(Get(config, "head_dim"), "16");
  EXPECT_EQ(Get(config, "rms_norm_eps"), "1e-05");
  EXPECT_EQ(Get(config, "rope_theta"), "10000.0");
  EXPECT_EQ(Get(config, "vocab_size"), "100");
  EXPECT_EQ(Get(config, "tie_word_embeddings"), "true");
  EXPECT_EQ(Get(config, "bos_token_id"), "null");
}

TEST(ConfigFromKeys, ListsOfOneValueAreThatValue) {
  GgufKeys keys = LlamaKeys();
  const uint32_t same[] = {2, 2};
  keys.Set("llama.attention.head_count_kv", GgufValue::U32s(same));
  EXPECT_EQ(Get(Read(keys), "num_key_value_heads"), "2");
  const uint32_t others[] = {2, 4};
  keys.Set("llama.attention.head_count_kv", GgufValue::U32s(others));
  EXPECT_NE(Failure(keys).find("differs from layer to layer"), std::string::npos);
}

TEST(ConfigFromKeys, NamesTheKeyThatIsWrong) {
  struct Case {
    std::string key;
    GgufValue value;
    std::string says;
  };

  const Case cases[] = {
      {"llama.block_count", GgufValue::U32(0), "1 to 4096"},
      {"llama.block_count", GgufValue::U32(4097), "1 to 4096"},
      {"llama.block_count", GgufValue::String("2"), "an unsigned integer"},
      {"llama.attention.head_count", GgufValue::U32(0), "out of range"},
      {"llama.attention.head_count", GgufValue::U32(5), "does not divide embedding_length"},
      {"llama.attention.head_count_kv", GgufValue::U32(3), "does not divide"},
      {"llama.attention.head_count_kv", GgufValue::U32(0), "out of range"},
      {"llama.attention.key_length", GgufValue::U32(16), "differs from attention.key_length"},
      {"llama.attention.layer_norm_rms_epsilon", GgufValue::F32(0), "not positive"},
      {"llama.attention.layer_norm_rms_epsilon", GgufValue::Bool(true), "a number"},
      {"llama.rope.dimension_count", GgufValue::U32(8), "does not fit the heads"},
      {"llama.rope.scaling.type", GgufValue::String("ntk"), "not known"},
      {"llama.rope.scaling.type", GgufValue::String("longrope"), "lacks its tensors"},
      {"llama.rope.scaling.type", GgufValue::U32(1), "is no text"},
      {"llama.rope.scaling.factor", GgufValue::F32(-2), "negative"},
  };
  for (const Case& wrong : cases) {
    GgufKeys keys = LlamaKeys();
    keys.Set(wrong.key, wrong.value);
    const std::string message = Failure(keys);
    EXPECT_NE(message.find(wrong.says), std::string::npos) << wrong.key << ": " << message;
    EXPECT_NE(message.find("llama."), std::string::npos) << message;
  }
  const GgufKeys whole = LlamaKeys();
  for (const auto& [key, value] : whole.entries()) {
    GgufKeys keys = LlamaKeys();
    keys.Remove(key);
    EXPECT_NE(Failure(keys).find(key), std::string::npos) << key;
  }
}

TEST(ConfigFromKeys, ArchitecturesWithoutTableAreNamed) {
  GgufKeys keys = LlamaKeys();
  keys.Set("general.architecture", GgufValue::String("rwkv7"));
  EXPECT_EQ(ArchitectureOfGguf(keys), nullptr);
  EXPECT_NE(Failure(keys).find("rwkv7"), std::string::npos);
}

TEST(ConfigFromKeys, ExpertsMakeLlamaMixtral) {
  GgufKeys keys = LlamaKeys();
  keys.Set("llama.expert_count", GgufValue::U32(8));
  keys.Set("llama.expert_used_count", GgufValue::U32(2));
  EXPECT_EQ(ArchitectureOfGguf(keys)->name, "mixtral");
  EXPECT_EQ(Get(Read(keys), "num_local_experts"), "8");
  keys.Set("llama.expert_used_count", GgufValue::U32(9));
  EXPECT_NE(Failure(keys).find("at most 8"), std::string::npos);
}

TEST(ConfigFromKeys, BiasesOfQueriesNeedThoseOfTheOutput) {
  GgufTensorFacts facts = {.vocabulary = 100};
  AddTensorFact("blk.0.attn_q.bias", facts);
  EXPECT_NE(Failure(LlamaKeys(), facts).find("attn_output.bias"), std::string::npos);
  AddTensorFact("blk.0.attn_output.bias", facts);
  EXPECT_EQ(Get(Read(LlamaKeys(), facts), "attention_bias"), "true");
}

TEST(ConfigFromKeys, TellsWhatItLeavesOutAndWhatItAssumes) {
  GgufKeys keys = LlamaKeys();
  keys.Set("llama.attention.causal", GgufValue::Bool(false));
  std::vector<std::string> notices;
  Read(keys, {.vocabulary = 100}, &notices);
  ASSERT_EQ(notices.size(), 2U);
  EXPECT_NE(notices[0].find("hidden_act = \"silu\""), std::string::npos) << notices[0];
  EXPECT_NE(notices[1].find("llama.attention.causal"), std::string::npos) << notices[1];
}

TEST(ConfigFromKeys, OldWordsForLinearScaling) {
  GgufKeys keys = LlamaKeys();
  keys.Set("llama.rope.scale_linear", GgufValue::F32(4));
  EXPECT_EQ(Get(Read(keys), "rope_parameters"),
            R"({"rope_theta":10000.0,"rope_type":"linear","factor":4.0})");
}

TEST(ConfigFromKeys, DivisorsOfNoLlama3RopeAreLongRope) {
  GgufTensorFacts facts = {.vocabulary = 100};
  facts.rope_frequencies = {1, 3, 2, 4, 1, 1, 1, 1};
  const Json config = Read(LlamaKeys(), facts);
  EXPECT_EQ(Get(*config.Find("rope_parameters"), "rope_type"), "\"longrope\"");
  EXPECT_EQ(Get(*config.Find("rope_parameters"), "attention_factor"), "1.0");
  EXPECT_EQ(RopeFactorsOf(config).short_factors, facts.rope_frequencies);
  facts.rope_frequencies[0] = 0;
  EXPECT_NE(Failure(LlamaKeys(), facts).find("rope_freqs.weight"), std::string::npos);
}

TEST(ConfigFromKeys, RelativesAreRefusedByName) {
  GgufKeys keys;
  keys.Set("general.architecture", GgufValue::String("olmo2"));
  keys.Set("olmo2.attention.sliding_window", GgufValue::U32(4096));
  EXPECT_NE(Failure(keys).find("OLMo 3"), std::string::npos);
}

}  // namespace
}  // namespace lbrx
