// Hugging Face -> GGUF against what llama.cpp's converter writes, and by hand-made files.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "core/base/error.h"
#include "core/io/file.h"
#include "tokenizer/test_folder.h"
#include "tokenizer/test_keys.h"
#include "tokenizer/tokenizer.h"

namespace lbrx {
namespace {

const std::string kData = LBRX_TEST_DATA;

Json ParseFile(const std::string& path) {
  return ParseJson(ReadWholeFile(path), path);
}

// Every architecture that the converter takes, with the tokenizer that they share.
TEST(ToGguf, KeysAreTheConverters) {
  const Json expected = ParseFile(kData + "/tokenizer/expected_keys.json");
  for (const auto& [model, architecture] : expected.Find("models")->AsObject()) {
    TokenizerSource source;
    source.folder = kData + "/bard-base";
    source.config = ParseFile(kData + "/arch/" + model + "/config.json");
    source.vocabulary = 2048;
    source.architecture = architecture.AsString();
    GgufKeys keys;
    std::vector<std::string> notices;
    AddTokenizerKeys(source, "", keys, notices);
    const Json::Object& wanted = expected.Find("keys")->AsObject();
    ASSERT_EQ(keys.entries().size(), wanted.size()) << model;
    for (size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_EQ(keys.entries()[i].first, wanted[i].first) << model;
      EXPECT_EQ(WriteJson(DescribeKey(keys.entries()[i].second)), WriteJson(wanted[i].second))
          << model << " " << wanted[i].first;
    }
    EXPECT_TRUE(notices.empty());
  }
}

std::vector<std::string> Strings(const GgufKeys& keys, std::string_view key) {
  const GgufValue* value = keys.Find(key);
  return value == nullptr ? std::vector<std::string>() : *value->AsStrings();
}

using Ints = std::vector<int64_t>;

Ints Types(const GgufKeys& keys) {
  return *keys.Find("tokenizer.ggml.token_type")->AsInts();
}

TEST(ToGguf, TokensWithTypesAndPadding) {
  TokenizerDir folder;
  Json tokenizer = SmallTokenizer();
  Json& added = *tokenizer.Find("added_tokens");
  added.Append(ParseJson(R"({"id": 8, "content": "<|looks|>", "special": false})", ""));
  added.Append(ParseJson(R"({"id": 10, "content": "\u2581\u2581x", "special": false})", ""));
  folder.Write("tokenizer.json", tokenizer);
  folder.vocabulary = 12;
  const GgufKeys keys = folder.Keys();
  EXPECT_EQ(Strings(keys, "tokenizer.ggml.tokens"),
            (std::vector<std::string>{"a", "b", "c", "ab", "\u0120", "\u0120a", "<bos>", "<eos>",
                                      "<|looks|>", "[PAD9]", "  x", "[PAD11]"}));
  EXPECT_EQ(Types(keys), (Ints{1, 1, 1, 1, 1, 1, 3, 3, 3, 5, 4, 5}));
  EXPECT_EQ(keys.String("tokenizer.ggml.pre"), "gpt-2");
}

// A token of the vocabulary that tokenizer_config.json names is special to transformers.
TEST(ToGguf, NamedTokensAreSpecial) {
  TokenizerDir folder;
  folder.Write("tokenizer.json", SmallTokenizer());
  folder.Write("tokenizer_config.json", R"({"pad_token": {"content": "c"}, "eos_token": "<eos>"})");
  const GgufKeys keys = folder.Keys();
  EXPECT_EQ(Types(keys)[2], 3);
  EXPECT_EQ(keys.Uint("tokenizer.ggml.padding_token_id"), 2U);
  EXPECT_EQ(keys.Uint("tokenizer.ggml.eos_token_id"), 7U);
}

TEST(ToGguf, MergesInBothSpellings) {
  TokenizerDir folder;
  Json tokenizer = SmallTokenizer();
  Json merges = ParseJson(R"([["a b", " "], ["\u0120", "a"]])", "");
  tokenizer.Find("model")->Set("merges", merges);
  folder.Write("tokenizer.json", tokenizer);
  EXPECT_EQ(Strings(folder.Keys(), "tokenizer.ggml.merges"),
            (std::vector<std::string>{"a\u0120b \u0120", "\u0120 a"}));
  tokenizer.Find("model")->Set("merges", ParseJson(R"(["a b", "\u0120 a"])", ""));
  folder.Write("tokenizer.json", tokenizer);
  EXPECT_EQ(Strings(folder.Keys(), "tokenizer.ggml.merges"),
            (std::vector<std::string>{"a b", "\u0120 a"}));
}

TEST(ToGguf, RolesOfTheConfig) {
  TokenizerDir folder;
  folder.Write("tokenizer.json", SmallTokenizer());
  folder.Write("tokenizer_config.json",
               R"({"bos_token": "<bos>", "add_bos_token": true, "add_eos_token": false})");
  folder.config = ParseJson(R"({"bos_token_id": 3, "eos_token_id": [7, 6], "pad_token_id": -1,
                                "text_config": {"eos_token_id": 5, "unk_token_id": 2}})",
                            "");
  const GgufKeys keys = folder.Keys();
  EXPECT_EQ(keys.Uint("tokenizer.ggml.bos_token_id"), 6U);            // by the token's name first
  EXPECT_EQ(keys.Uint("tokenizer.ggml.eos_token_id"), std::nullopt);  // a list is none
  EXPECT_EQ(keys.Uint("tokenizer.ggml.unknown_token_id"), 2U);
  EXPECT_EQ(keys.Find("tokenizer.ggml.padding_token_id"), nullptr);
  EXPECT_EQ(keys.Bool("tokenizer.ggml.add_bos_token"), true);
  EXPECT_EQ(keys.Bool("tokenizer.ggml.add_eos_token"), false);
  folder.config = ParseJson(R"({"eos_token_id": 99})", "");
  EXPECT_EQ(folder.Keys().Find("tokenizer.ggml.eos_token_id"), nullptr);
  EXPECT_EQ(folder.notices.size(), 1U);
}

Json Template(const std::string& single, const std::string& pair) {
  const auto pieces = [](const std::string& names) {
    Json out = Json::MakeArray();
    for (size_t at = 0; at < names.size();) {
      const size_t end = std::min(names.find(' ', at), names.size());
      const std::string name = names.substr(at, end - at);
      const char* kind = name == "A" || name == "B" ? "Sequence" : "SpecialToken";
      out.Append(Json::Object{{kind, Json::Object{{"id", name}, {"type_id", 0}}}});
      at = end + 1;
    }
    return out;
  };
  return Json::Object{
      {"type", "TemplateProcessing"}, {"single", pieces(single)}, {"pair", pieces(pair)}};
}

TEST(ToGguf, WhatThePostProcessorAdds) {
  TokenizerDir folder;
  folder.Write("tokenizer_config.json", R"({"bos_token": "<bos>", "eos_token": "<eos>"})");

  struct Case {
    Json processor;
    std::optional<bool> bos;
    std::optional<bool> eos;
    std::optional<bool> sep;
  };

  const Json byte_level = ParseJson(R"({"type": "ByteLevel"})", "");
  const Json both =
      Json::Object{{"type", "Sequence"},
                   {"processors", Json::Array{byte_level, Template("<bos> A", "<bos> A <bos> B")}}};
  const std::vector<Case> cases = {
      {Json(), {}, {}, {}},
      {byte_level, false, false, {}},
      {Template("<bos> A", "<bos> A B"), true, {}, {}},
      {Template("<bos> A", "<bos> A <bos> B"), true, {}, false},
      {Template("A <eos>", "A <eos> B <eos>"), {}, true, false},
      {Template("A <eos>", "A <eos> <eos> B <eos>"), {}, true, true},
      {Template("<bos> A", "<bos> A <eos> B"), true, {}, true},
      {both, true, false, false},
  };
  for (const Case& test : cases) {
    Json tokenizer = SmallTokenizer();
    tokenizer.Set("post_processor", test.processor);
    folder.Write("tokenizer.json", tokenizer);
    const GgufKeys keys = folder.Keys();
    EXPECT_EQ(keys.Bool("tokenizer.ggml.add_bos_token"), test.bos) << WriteJson(test.processor);
    EXPECT_EQ(keys.Bool("tokenizer.ggml.add_eos_token"), test.eos) << WriteJson(test.processor);
    EXPECT_EQ(keys.Bool("tokenizer.ggml.add_sep_token"), test.sep) << WriteJson(test.processor);
  }
}

TEST(ToGguf, TextsThatEndInAnotherTokenThanTurns) {
  TokenizerDir folder;
  folder.Write("tokenizer_config.json", R"({"eos_token": "<eos>"})");
  Json tokenizer = SmallTokenizer();
  tokenizer.Set("post_processor", Template("A <bos>", "A <bos> B <bos>"));
  folder.Write("tokenizer.json", tokenizer);
  const GgufKeys keys = folder.Keys();
  EXPECT_EQ(keys.Uint("tokenizer.ggml.eos_token_id"), 6U);
  EXPECT_EQ(keys.Uint("tokenizer.ggml.eot_token_id"), 7U);
}

// llama.cpp adds bos under some names unless told otherwise.
TEST(ToGguf, NoBosIsSaidWhereItIsTheDefault) {
  TokenizerDir folder;
  folder.Write("tokenizer.json", SmallTokenizer());
  EXPECT_EQ(folder.Keys("llama-bpe").Bool("tokenizer.ggml.add_bos_token"), false);
  EXPECT_EQ(folder.Keys("qwen2").Find("tokenizer.ggml.add_bos_token"), nullptr);
}

TEST(ToGguf, ChatTemplates) {
  TokenizerDir folder;
  folder.Write("tokenizer.json", SmallTokenizer());
  folder.Write("chat_template.jinja", std::string("from the file"));
  EXPECT_EQ(folder.Keys().String("tokenizer.chat_template"), "from the file");
  folder.Write("tokenizer_config.json", R"({"chat_template": "inside"})");
  EXPECT_EQ(folder.Keys().String("tokenizer.chat_template"), "inside");
  folder.Write("tokenizer_config.json", R"({"chat_template": [
      {"name": "tool-use", "template": "T"}, {"name": "default", "template": "D"}]})");
  const GgufKeys keys = folder.Keys();
  EXPECT_EQ(keys.String("tokenizer.chat_template"), "D");
  EXPECT_EQ(keys.String("tokenizer.chat_template.tool_use"), "T");
  EXPECT_EQ(Strings(keys, "tokenizer.chat_templates"), std::vector<std::string>{"tool_use"});
}

TEST(ToGguf, GlmRoles) {
  TokenizerDir folder;
  Json tokenizer = SmallTokenizer();
  tokenizer.Find("added_tokens")->Append(ParseJson(R"({"id": 8, "content": "<|user|>"})", ""));
  tokenizer.Find("added_tokens")->Append(ParseJson(R"({"id": 9, "content": "<|endoftext|>"})", ""));
  folder.Write("tokenizer.json", tokenizer);
  folder.architecture = "glm4";
  const GgufKeys keys = folder.Keys();
  EXPECT_EQ(keys.Uint("tokenizer.ggml.eot_token_id"), 8U);
  EXPECT_EQ(keys.Uint("tokenizer.ggml.eos_token_id"), 9U);
}

TEST(ToGguf, NoTokenizer) {
  TokenizerDir folder;
  EXPECT_FALSE(HasTokenizer(folder.path()));
  try {
    folder.Keys();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
  }
  folder.Write("tokenizer.json", R"({"model": {"type": "WordPiece", "vocab": {"a": 0}}})");
  EXPECT_TRUE(HasTokenizer(folder.path()));
  try {
    folder.Keys();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    EXPECT_EQ(error.detail().found, "WordPiece");
  }
}

}  // namespace
}  // namespace lbrx
