// GGUF -> Hugging Face: what the files say, and that they give the keys back.
#include <gtest/gtest.h>

#include <optional>

#include "core/base/error.h"
#include "core/io/file.h"
#include "tokenizer/test_folder.h"
#include "tokenizer/tokenizer.h"

namespace lbrx {
namespace {

const std::string kData = LBRX_TEST_DATA;

GgufKeys KeysOf(const std::string& folder, uint64_t vocabulary,
                const std::string& architecture = "llama") {
  TokenizerSource source;
  source.folder = folder;
  source.vocabulary = vocabulary;
  source.architecture = architecture;
  GgufKeys keys;
  std::vector<std::string> notices;
  AddTokenizerKeys(source, "", keys, notices);
  return keys;
}

std::vector<OutputText> FilesOf(const GgufKeys& keys) {
  std::vector<std::string> notices;
  const Json config = Json::MakeObject();
  return TokenizerFiles(keys, config, notices);
}

Json Parsed(const std::vector<OutputText>& files, const std::string& name) {
  for (const OutputText& file : files) {
    if (file.name == name) {
      return ParseJson(file.content, name);
    }
  }
  ADD_FAILURE() << "no " << name;
  return nullptr;
}

void ExpectSameKeys(const GgufKeys& a, const GgufKeys& b) {
  for (const auto& [key, value] : a.entries()) {
    const GgufValue* other = b.Find(key);
    ASSERT_NE(other, nullptr) << key;
    EXPECT_TRUE(*other == value) << key;
  }
  EXPECT_EQ(a.entries().size(), b.entries().size());
}

GgufValue Types(const std::vector<int32_t>& types) {
  return GgufValue::I32s(types);
}

GgufKeys SmallKeys() {
  GgufKeys keys;
  keys.Set("tokenizer.ggml.model", GgufValue::String("gpt2"));
  keys.Set("tokenizer.ggml.pre", GgufValue::String("gpt-2"));
  keys.Set("tokenizer.ggml.tokens", GgufValue::Strings({"a", "b", "ab", "d", "e"}));
  keys.Set("tokenizer.ggml.token_type", Types({1, 1, 1, 1, 1}));
  keys.Set("tokenizer.ggml.merges", GgufValue::Strings({"a b"}));
  return keys;
}

TEST(ToHuggingFace, GivesTheTokenizerBack) {
  const GgufKeys keys = KeysOf(kData + "/bard-base", 2048);
  const std::vector<OutputText> files = FilesOf(keys);
  const std::string path = kData + "/bard-base/tokenizer.json";
  const Json original = ParseJson(ReadWholeFile(path), path);
  const Json written = Parsed(files, "tokenizer.json");
  for (const char* member : {"added_tokens", "pre_tokenizer", "normalizer", "decoder"}) {
    EXPECT_EQ(WriteJson(*written.Find(member)), WriteJson(*original.Find(member))) << member;
  }
  for (const char* member : {"vocab", "merges", "byte_fallback"}) {
    EXPECT_EQ(*written.Find("model")->Find(member), *original.Find("model")->Find(member))
        << member;
  }
  const Json config = Parsed(files, "tokenizer_config.json");
  EXPECT_EQ(config.Find("bos_token")->AsString(), "<|begin_of_text|>");
  EXPECT_EQ(config.Find("add_bos_token")->AsBool(), true);
  EXPECT_EQ(Parsed(files, "generation_config.json").Find("eos_token_id")->AsUint64(), 2045U);
}

TEST(ToHuggingFace, FilesGiveTheKeysBack) {
  const GgufKeys keys = KeysOf(kData + "/bard-base", 2048);
  const TempDir folder;
  for (const OutputText& file : FilesOf(keys)) {
    WriteTestFile(folder / file.name, file.content);
  }
  ExpectSameKeys(keys, KeysOf(folder.path(), 2048));
}

// Every way to say what is added to a text comes back as it was.
TEST(ToHuggingFace, WhatIsAddedComesBack) {
  TokenizerDir folder;
  folder.Write("tokenizer.json", SmallTokenizer());
  folder.config = ParseJson(R"({"bos_token_id": 6, "eos_token_id": 7})", "");
  const std::optional<bool> choices[] = {std::nullopt, false, true};
  for (const std::optional<bool> bos : choices) {
    for (const std::optional<bool> eos : choices) {
      GgufKeys keys = folder.Keys();
      if (bos.has_value()) {
        keys.Set("tokenizer.ggml.add_bos_token", GgufValue::Bool(*bos));
      }
      if (eos.has_value()) {
        keys.Set("tokenizer.ggml.add_eos_token", GgufValue::Bool(*eos));
      }
      TokenizerDir again;
      for (const OutputText& file : FilesOf(keys)) {
        again.Write(file.name, file.content);
      }
      ExpectSameKeys(keys, again.Keys());
    }
  }
}

TEST(ToHuggingFace, AddedTokensInTheMiddleStayInTheVocabulary) {
  GgufKeys keys = SmallKeys();
  keys.Set("tokenizer.ggml.token_type", Types({1, 3, 1, 5, 4}));
  Json tokenizer = Parsed(FilesOf(keys), "tokenizer.json");
  EXPECT_EQ(WriteJson(*tokenizer.Find("model")->Find("vocab")),
            R"({"a":0,"b":1,"ab":2,"d":3})");  // e follows on them
  EXPECT_EQ(tokenizer.Find("added_tokens")->AsArray().size(), 2U);
  EXPECT_EQ(tokenizer.Find("added_tokens")->AsArray()[1].Find("special")->AsBool(), false);
}

TEST(ToHuggingFace, VerbatimWhereItIsKept) {
  GgufKeys keys = SmallKeys();
  keys.Set("tokenizer.huggingface.json", GgufValue::String("{\"kept\": 1}"));
  EXPECT_NE(Parsed(FilesOf(keys), "tokenizer.json").Find("kept"), nullptr);
}

TEST(ToHuggingFace, GenerationStopsAtAllEnds) {
  GgufKeys keys = SmallKeys();
  keys.Set("tokenizer.ggml.eos_token_id", GgufValue::U32(1));
  keys.Set("tokenizer.ggml.eot_token_id", GgufValue::U32(4));
  keys.Set("tokenizer.ggml.padding_token_id", GgufValue::U32(9));  // no such token
  const std::vector<OutputText> files = FilesOf(keys);
  EXPECT_EQ(WriteJson(Parsed(files, "generation_config.json")), R"({"eos_token_id":[1,4]})");
  const Json config = Parsed(files, "tokenizer_config.json");
  EXPECT_EQ(config.Find("eot_token")->AsString(), "e");
  EXPECT_EQ(config.Find("pad_token"), nullptr);
}

TEST(ToHuggingFace, OtherKindsAreANotice) {
  GgufKeys keys = SmallKeys();
  keys.Set("tokenizer.ggml.model", GgufValue::String("rwkv"));
  std::vector<std::string> notices;
  for (const OutputText& file : TokenizerFiles(keys, Json(), notices)) {
    EXPECT_NE(file.name, "tokenizer.json");
  }
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_NE(notices[0].find("rwkv"), std::string::npos);
  EXPECT_TRUE(TokenizerFiles(GgufKeys(), Json(), notices).empty());
}

TEST(ToHuggingFace, ImpossibleMergesAreLeftOut) {
  GgufKeys keys = SmallKeys();
  keys.Set("tokenizer.ggml.merges", GgufValue::Strings({"a b", "d e"}));
  std::vector<std::string> notices;
  const auto files = TokenizerFiles(keys, Json(), notices);
  EXPECT_EQ(notices.size(), 1U);
  EXPECT_EQ(WriteJson(*Parsed(files, "tokenizer.json").Find("model")->Find("merges")),
            R"([["a","b"]])");
}

void ExpectRefused(std::string_view key, GgufValue value) {
  GgufKeys keys = SmallKeys();
  keys.Set(key, std::move(value));
  try {
    FilesOf(keys);
    ADD_FAILURE() << "accepted: " << key;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    EXPECT_EQ(error.detail().object, key);
  }
}

TEST(ToHuggingFace, RefusesKeysThatContradictThemselves) {
  ExpectRefused("tokenizer.ggml.tokens", GgufValue::U32(5));
  ExpectRefused("tokenizer.ggml.tokens", GgufValue::Strings({"a", "b", "a"}));
  ExpectRefused("tokenizer.ggml.tokens", GgufValue::Strings({"a", "\xFF"}));
  ExpectRefused("tokenizer.ggml.token_type", Types({1, 1}));
  ExpectRefused("tokenizer.ggml.token_type", GgufValue::String("1"));
  ExpectRefused("tokenizer.ggml.scores", GgufValue::F32s(std::vector<float>{1}));
  ExpectRefused("tokenizer.ggml.scores", GgufValue::Strings({"1"}));
  ExpectRefused("tokenizer.ggml.merges", GgufValue::Strings({"ab"}));
  ExpectRefused("tokenizer.ggml.merges", GgufValue::Strings({}));
  ExpectRefused("tokenizer.ggml.merges", GgufValue::Bool(true));
  ExpectRefused("tokenizer.ggml.pre", GgufValue::String("of tomorrow"));
}

}  // namespace
}  // namespace lbrx
