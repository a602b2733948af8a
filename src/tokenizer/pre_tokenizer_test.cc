#include "tokenizer/pre_tokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "tokenizer/test_folder.h"

namespace lbrx {
namespace {

HfTokenizer With(const Json& pre_tokenizer) {
  HfTokenizer tokenizer;
  tokenizer.file = "tokenizer.json";
  tokenizer.outline = Json::Object{{"pre_tokenizer", pre_tokenizer}};
  return tokenizer;
}

Json Split(const std::string& regex, const char* behaviour = "Isolated", bool invert = false) {
  return Json::Object{{"type", "Split"},
                      {"pattern", Json(Json::Object{{"Regex", regex}})},
                      {"behavior", behaviour},
                      {"invert", invert}};
}

Json Steps(Json::Array steps) {
  steps.push_back(Json::Object{{"type", "ByteLevel"}, {"use_regex", false}});
  return Json::Object{{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
}

TEST(PreTokenizer, WhatIsWrittenIsRecognised) {
  for (const PrePattern& pattern : PrePatterns()) {
    if (pattern.bytes) {
      EXPECT_EQ(PreTokenizerName(With(WritePreTokenizer(pattern)), "", ""), pattern.id);
    }
  }
}

TEST(PreTokenizer, TheTableIsSound) {
  std::set<std::string_view> names;
  for (const PreName& name : PreNames()) {
    EXPECT_TRUE(names.insert(name.name).second) << name.name;
    EXPECT_NE(FindPrePattern(name.pattern), nullptr) << name.name;
  }
  std::set<std::string> expressions;
  for (const PrePattern& pattern : PrePatterns()) {
    EXPECT_EQ(FindPreName(pattern.id)->pattern, pattern.id) << "the usual name is the pattern's";
    std::string joined;
    for (const std::string_view expression : pattern.expressions) {
      joined += std::string(expression) + "\n";
    }
    EXPECT_TRUE(expressions.insert(joined).second) << pattern.id;
  }
}

// As the files of well-known models have them.
TEST(PreTokenizer, PublishedSpellings) {
  const std::string qwen =
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
      R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";
  EXPECT_EQ(PreTokenizerName(With(Steps({Split(qwen)})), "", "qwen2"), "qwen2");
  EXPECT_EQ(PreTokenizerName(With(Steps({Split(qwen)})), "", "stablelm"), "stablelm2");
  EXPECT_EQ(PreTokenizerName(With(Steps({Split(qwen, "Removed", true)})), "", ""), "qwen2");
  const std::string gpt4o =
      R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+)"
      R"([\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3})"
      R"(| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
  EXPECT_EQ(PreTokenizerName(With(Steps({Split(gpt4o)})), "", "gpt-oss"), "gpt-4o");
  // DeepSeek's has real line ends in it.
  const std::string words =
      "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"
      "|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+"
      "|\\s+(?!\\S)|\\s+";
  EXPECT_EQ(
      PreTokenizerName(With(Steps({Split("\\p{N}{1,3}"),
                                   Split("[一-龥\u3040-\u309F\u30A0-\u30FF]+"), Split(words)})),
                       "", "deepseek2"),
      "deepseek-v3");
  const Json starcoder = ParseJson(R"({"type": "Sequence", "pretokenizers": [
      {"type": "Digits", "individual_digits": true},
      {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}]})",
                                   "");
  EXPECT_EQ(PreTokenizerName(With(starcoder), "", "starcoder2"), "starcoder");
  EXPECT_EQ(PreTokenizerName(With(starcoder), "", "command-r"), "command-r");
  const Json falcon = ParseJson(R"({"type": "Sequence", "pretokenizers": [
      {"type": "Punctuation", "behavior": "Contiguous"},
      {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
      {"type": "Split", "pattern": {"Regex": "[0-9][0-9][0-9]"}, "behavior": "Isolated",
       "invert": false}]})",
                                "");
  EXPECT_EQ(PreTokenizerName(With(falcon), "", "falcon"), "falcon");
}

ErrorDetail Failure(const Json& pre_tokenizer, const std::string& pre = "") {
  try {
    PreTokenizerName(With(pre_tokenizer), pre, "llama");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.detail();
  }
  ADD_FAILURE() << WriteJson(pre_tokenizer);
  return {};
}

TEST(PreTokenizer, UnknownOnesAreRefused) {
  const std::string near =
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,4}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
      R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";
  const ErrorDetail detail = Failure(Steps({Split(near)}));
  EXPECT_NE(detail.advice.find("--pre NAME"), std::string::npos);
  EXPECT_NE(detail.advice.find("near: llama-bpe"), std::string::npos) << detail.advice;
  EXPECT_EQ(PreTokenizerName(With(Steps({Split(near)})), "qwen2", ""), "qwen2");
  EXPECT_NE(Failure(Steps({}), "qwen3").advice.find("qwen2"), std::string::npos);
  EXPECT_EQ(Failure(Steps({})).found, "none");
  EXPECT_EQ(Failure(Json()).found, "none");
  EXPECT_EQ(Failure(Json::Object{{"type", "Metaspace"}}).found, "Metaspace");
  EXPECT_EQ(Failure(Steps({Split("x", "MergedWithNext")})).found, "Split, MergedWithNext");
  EXPECT_EQ(Failure(Steps({Split("x", "Removed", true)})).found, "Split, Removed");
}

}  // namespace
}  // namespace lbrx
