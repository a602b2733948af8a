#include "model/gguf/gguf_config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "core/base/error.h"
#include "core/base/format.h"
#include "model/config.h"
#include "model/gguf/family.h"

namespace lbrx {
namespace {

// Cases of tests/data/make_gguf_keys.py: what llama.cpp's converter writes.
const Json& Cases() {
  static const Json kCases = [] {
    std::ifstream file(LBRX_TEST_DATA "/gguf_keys/expected.json");
    std::stringstream text;
    text << file.rdbuf();
    return ParseJson(text.str(), "expected.json");
  }();
  return kCases;
}

std::string NameOf(const Json& expected) {
  return expected.Find("name")->AsString() + " " + expected.Find("variant")->AsString();
}

Json ConfigOf(const Json& expected) {
  Json config = *expected.Find("config");
  CompleteConfig(config);
  return config;
}

// "llama.block_count UINT32 2", floats rounded to float.
std::string Row(const std::string& key, const std::string& type, double value) {
  return Format("{} {} {}", key, type, static_cast<float>(value));
}

std::vector<std::string> Expected(const Json& expected) {
  std::vector<std::string> rows;
  for (const Json& row : expected.Find("keys")->AsArray()) {
    const Json::Array& parts = row.AsArray();
    const std::string& type = parts[1].AsString();
    if (type == "STRING") {
      rows.push_back(parts[0].AsString() + " str " + parts[2].AsString());
    } else if (type == "BOOL") {
      rows.push_back(Row(parts[0].AsString(), "bool", parts[2].AsBool() ? 1 : 0));
    } else {
      rows.push_back(
          Row(parts[0].AsString(), type == "UINT32" ? "u32" : "f32", parts[2].AsDouble()));
    }
  }
  return rows;
}

std::vector<std::string> Written(const GgufKeys& keys) {
  std::vector<std::string> rows;
  for (const auto& [key, value] : keys.entries()) {
    if (key.starts_with("general.")) {
      continue;
    }
    if (const std::string* text = value.AsString()) {
      rows.push_back(key + " str " + *text);
    } else {
      const std::optional<bool> flag = value.AsBool();
      rows.push_back(Row(key, std::string(GgufTypeName(value.type())),
                         flag ? (*flag ? 1.0 : 0.0) : value.AsNumber().value_or(NAN)));
    }
  }
  return rows;
}

GgufKeys KeysOf(const Json& config, std::vector<std::string>* notices = nullptr) {
  GgufKeys keys;
  std::vector<std::string> heard;
  AddModelKeys(*FindArchitecture(config), config, keys, heard);
  if (notices != nullptr) {
    *notices = heard;
  }
  return keys;
}

TEST(AddModelKeys, WritesWhatTheConverterWrites) {
  for (const Json& expected : Cases().AsArray()) {
    SCOPED_TRACE(NameOf(expected));
    const GgufKeys keys = KeysOf(ConfigOf(expected));
    EXPECT_EQ(keys.String("general.architecture"), expected.Find("architecture")->AsString());
    const std::vector<std::string> written = Written(keys);
    std::vector<std::string> wanted = Expected(expected);
    // The converter writes Phi-3's factor of attention before all others.
    if (wanted.front().find("attn_factor") != std::string::npos) {
      std::rotate(wanted.begin(), wanted.begin() + 1, wanted.begin() + 3);
    }
    EXPECT_EQ(written, wanted);
  }
}

TEST(AddModelKeys, KnowsEveryArchitecture) {
  for (const Architecture* architecture : Architectures()) {
    EXPECT_NE(GgufArchitecture(*architecture), "") << architecture->name;
  }
}

TEST(RopeFrequencies, AreTheConverters) {
  uint64_t compared = 0;
  for (const Json& expected : Cases().AsArray()) {
    const Json* values = expected.Find("tensors")->Find("rope_freqs.weight");
    const std::vector<float> found = RopeFrequencies(ConfigOf(expected));
    SCOPED_TRACE(NameOf(expected));
    ASSERT_EQ(found.size(), values == nullptr ? 0 : values->AsArray().size());
    for (uint64_t i = 0; i < found.size(); ++i, ++compared) {
      EXPECT_EQ(found[i], static_cast<float>(values->AsArray()[i].AsDouble())) << i;
    }
  }
  EXPECT_EQ(compared, 8U + 64U);
}

bool Flag(const Json& config, std::initializer_list<std::string_view> members) {
  return std::any_of(members.begin(), members.end(), [&](std::string_view member) {
    const Json* value = config.Find(member);
    return value != nullptr && *value == Json(true);
  });
}

// As the tensors of such a model would say.
GgufTensorFacts FactsOf(const Json& config) {
  GgufTensorFacts facts;
  facts.vocabulary = config.Find("vocab_size")->AsUint64();
  facts.output = !Flag(config, {"tie_word_embeddings"});
  facts.query_bias = Flag(config, {"attention_bias", "qkv_bias", "use_qkv_bias", "use_bias"});
  facts.attention_output_bias = facts.query_bias;
  facts.feed_forward_bias = Flag(config, {"mlp_bias"});
  facts.query_norm = Flag(config, {"use_qk_norm", "qk_layernorm"});
  facts.expert_bias = true;
  facts.rope_frequencies = RopeFrequencies(config);
  const RopeFactors factors = RopeFactorsOf(config);
  facts.long_factors = factors.long_factors;
  facts.short_factors = factors.short_factors;
  return facts;
}

GgufKeys WithTokens(const Json& config) {
  GgufKeys keys = KeysOf(config);
  const auto set = [&](std::string_view key, std::string_view member) {
    if (const auto id = ConfigUint(config, member)) {
      keys.Set(key, GgufValue::U32(static_cast<uint32_t>(*id)));
    }
  };
  set("tokenizer.ggml.bos_token_id", "bos_token_id");
  set("tokenizer.ggml.eos_token_id", "eos_token_id");
  set("tokenizer.ggml.padding_token_id", "pad_token_id");
  return keys;
}

// What takes no part in computing a model's logits, or says what other members say.
constexpr std::string_view kNotUsed[] = {"attention_dropout",
                                         "initializer_range",
                                         "use_cache",
                                         "transformers_version",
                                         "pretraining_tp",
                                         "embd_pdrop",
                                         "resid_pdrop",
                                         "attn_pdrop",
                                         "hidden_dropout",
                                         "embedding_dropout",
                                         "residual_dropout",
                                         "router_aux_loss_coef",
                                         "output_router_logits",
                                         "router_jitter_noise",
                                         "max_window_layers",
                                         "dtype",
                                         "torch_dtype",
                                         "num_nextn_predict_layers",
                                         "reorder_and_upcast_attn",
                                         "add_cross_attention",
                                         "summary_activation",
                                         "summary_first_dropout",
                                         "summary_proj_to_labels",
                                         "summary_type",
                                         "summary_use_proj",
                                         "_sliding_window_pattern",
                                         "use_sliding_window"};

struct Change {
  std::string_view name;
  std::string_view member;
};

// What a file cannot say: llama is Llama or Mistral, whose windows llama.cpp does not know; the
// experts of Qwen3 are always normalized; no window is null or 0.
constexpr Change kChanges[] = {{"mistral", "architectures"},
                               {"mistral", "model_type"},
                               {"mistral", "sliding_window"},
                               {"qwen2_moe", "sliding_window"},
                               {"qwen3_moe", "norm_topk_prob"}};

bool Carried(const Json& expected, const Json::Member& member) {
  const auto same = [&](const Change& change) {
    return change.member == member.first && Json(change.name) == *expected.Find("name");
  };
  if (member.first == "layer_types" &&
      member.second.AsArray()[0] == member.second.AsArray().back()) {
    return false;  // all alike, which is what its absence means
  }
  return std::find(std::begin(kNotUsed), std::end(kNotUsed), member.first) == std::end(kNotUsed) &&
         std::none_of(std::begin(kChanges), std::end(kChanges), same);
}

// 1 and 1.0, null and absent are the same.
bool Alike(const Json* a, const Json* b) {
  const bool no_a = a == nullptr || a->is_null();
  const bool no_b = b == nullptr || b->is_null();
  if (no_a || no_b) {
    return no_a && no_b;
  }
  if (a->is_number() && b->is_number()) {
    return a->AsDouble() == b->AsDouble();
  }
  if (a->is_object() && b->is_object()) {
    return std::all_of(a->AsObject().begin(), a->AsObject().end(), [&](const Json::Member& member) {
      return Alike(&member.second, b->Find(member.first));
    });
  }
  if (a->is_array() && b->is_array()) {
    return std::equal(a->AsArray().begin(), a->AsArray().end(), b->AsArray().begin(),
                      b->AsArray().end(),
                      [](const Json& x, const Json& y) { return Alike(&x, &y); });
  }
  return *a == *b;
}

std::string Show(const Json* value) {
  return value == nullptr ? "absent" : WriteJson(*value);
}

TEST(ConfigFromKeys, GivesEveryUsedValueBack) {
  for (const Json& expected : Cases().AsArray()) {
    SCOPED_TRACE(NameOf(expected));
    const Json config = ConfigOf(expected);
    std::vector<std::string> notices;
    const Json back = ConfigFromKeys(WithTokens(config), FactsOf(config), notices);
    for (const Json::Member& member : config.AsObject()) {
      if (Carried(expected, member)) {
        EXPECT_TRUE(Alike(&member.second, back.Find(member.first)))
            << member.first << ": " << Show(&member.second) << " became "
            << Show(back.Find(member.first));
      }
    }
  }
}

TEST(ConfigFromKeys, GivesTheSameKeysAgain) {
  for (const Json& expected : Cases().AsArray()) {
    SCOPED_TRACE(NameOf(expected));
    const Json config = ConfigOf(expected);
    std::vector<std::string> notices;
    const Json back = ConfigFromKeys(WithTokens(config), FactsOf(config), notices);
    EXPECT_EQ(Written(KeysOf(back)), Written(KeysOf(config)));
    EXPECT_EQ(RopeFrequencies(back), RopeFrequencies(config));
    EXPECT_EQ(RopeFactorsOf(back).long_factors, RopeFactorsOf(config).long_factors);
    EXPECT_EQ(RopeFactorsOf(back).short_factors, RopeFactorsOf(config).short_factors);
  }
}

// Every key of every architecture, replaced by what it should not be.
TEST(ConfigFromKeys, OddValuesGiveAConfigOrAnErrorThatNamesTheKey) {
  const uint32_t list[] = {0, 4294967295U};
  const GgufValue odd[] = {GgufValue::U32(0),     GgufValue::U32(4294967295U),
                           GgufValue::U32(3),     GgufValue::F32(-1.0F),
                           GgufValue::F32(NAN),   GgufValue::F32(3e38F),
                           GgufValue::Bool(true), GgufValue::String("odd"),
                           GgufValue::U32s(list), GgufValue::U32s({})};
  uint64_t refused = 0;
  for (const Json& expected : Cases().AsArray()) {
    const Json config = ConfigOf(expected);
    const GgufKeys keys = WithTokens(config);
    for (const auto& [key, value] : keys.entries()) {
      for (const GgufValue& other : odd) {
        GgufKeys changed = keys;
        changed.Set(key, other);
        try {
          std::vector<std::string> notices;
          const Json back = ConfigFromKeys(changed, FactsOf(config), notices);
          EXPECT_NE(WriteJson(back), "");
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), ErrorCode::kInvalid) << key << ": " << error.what();
          ++refused;
        }
      }
    }
  }
  EXPECT_GT(refused, 1000U);
}

}  // namespace
}  // namespace lbrx
