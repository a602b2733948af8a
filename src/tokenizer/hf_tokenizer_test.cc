// tokenizer.json: what is read, and what is refused.
#include "tokenizer/hf_tokenizer.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/format.h"
#include "tokenizer/test_folder.h"

namespace lbrx {
namespace {

HfTokenizer Read(const std::string& model, const std::string& added = "[]") {
  return ReadHfTokenizer(Format(R"({{"added_tokens": {}, "model": {}}})", added, model), "file");
}

ErrorDetail Failure(const std::string& model, const std::string& added = "[]") {
  try {
    Read(model, added);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    EXPECT_EQ(error.detail().file, "file") << model;
    return error.detail();
  }
  ADD_FAILURE() << "accepted: " << model << " " << added;
  return {};
}

TEST(HfTokenizer, ReadsTheModel) {
  const HfTokenizer bpe = Read(
      R"({"type": "BPE", "byte_fallback": true, "ignore_merges": true, "unk_token": "u",
          "vocab": {"b": 1, "a": 0}, "merges": [["a", "b c"]]})",
      R"([{"id": 1, "content": "b", "special": true}, {"id": 7, "content": "x"}])");
  EXPECT_TRUE(bpe.byte_fallback);
  EXPECT_TRUE(bpe.ignore_merges);
  EXPECT_EQ(bpe.vocab, (std::vector<std::pair<std::string, uint32_t>>{{"b", 1}, {"a", 0}}));
  EXPECT_EQ(bpe.merges, std::vector<std::string>{"a b\u0120c"});
  EXPECT_EQ(bpe.added.size(), 2U);
  EXPECT_TRUE(bpe.added[0].special);
  EXPECT_TRUE(bpe.outline.Find("model")->Find("vocab")->is_null());
  EXPECT_EQ(bpe.outline.Find("model")->Find("unk_token")->AsString(), "u");

  const HfTokenizer unigram = Read(R"({"vocab": [["<unk>", 0], ["a", -1.5]], "unk_id": 0})");
  EXPECT_EQ(unigram.model, "Unigram");
  EXPECT_EQ(unigram.vocab[1].second, 1U);
  EXPECT_EQ(unigram.scores, (std::vector<float>{0, -1.5F}));
}

// The library goes by the vocabulary where an added token is in it.
TEST(HfTokenizer, AddedTokensOfTheVocabulary) {
  const HfTokenizer tokenizer = Read(R"({"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []})",
                                     R"([{"id": 5, "content": "b"}])");
  EXPECT_EQ(tokenizer.added[0].id, 1U);
}

TEST(HfTokenizer, RefusesWhatContradictsItself) {
  EXPECT_EQ(Failure(R"({"vocab": {"a": 0, "a": 1}})").object, "a");
  EXPECT_EQ(Failure(R"({"vocab": {"a": 3, "b": 3}})").found, "3");
  EXPECT_EQ(Failure(R"({"vocab": {"a": -1}})").object, "model.vocab");
  EXPECT_EQ(Failure(R"({"vocab": {"a": 1.5}})").object, "model.vocab");
  EXPECT_EQ(Failure(R"({"vocab": {"a": "0"}})").found, "a string");
  EXPECT_EQ(Failure(R"({"vocab": {"a": [0]}})").found, "an array");
  EXPECT_EQ(Failure(R"({"vocab": {"a": 4294967296}})").found, "4294967296");
  EXPECT_EQ(Failure(R"({"vocab": [["a", 0, 1]]})").found, "a number");
  EXPECT_EQ(Failure(R"({"vocab": [["a"]]})").what, "pair of another length");
  EXPECT_EQ(Failure(R"({"vocab": {}, "merges": [["a"]]})").found, "1");
  EXPECT_EQ(Failure(R"({"vocab": {}, "merges": [["a", "b", "c"]]})").found, "a string");
  EXPECT_EQ(Failure(R"({"vocab": {}, "merges": [7]})").object, "model.merges");
  EXPECT_EQ(Failure(R"({"vocab": {}, "merges": [{"a": "b"}]})").found, "an object");
  EXPECT_EQ(Failure(R"({"vocab": {}, "vocab": {}})").object, "vocab");
  EXPECT_EQ(Failure("7").object, "model");
  EXPECT_EQ(Failure(R"({"vocab": {"a": 0}})", R"([{"id": 0, "content": "b"}])").object, "b");
  EXPECT_EQ(Failure(R"({"vocab": {}})", R"([{"content": "b"}])").object, "added_tokens");
  EXPECT_EQ(Failure(R"({"vocab": {}})", R"([{"id": 9999999999, "content": "b"}])").object, "b");
  EXPECT_FALSE(Failure(R"({"vocab": {}})", R"([{"id": 1}])").what.empty());
  EXPECT_FALSE(Failure(R"({"type": 3})").what.empty());
  EXPECT_TRUE(Failure(R"({"vocab": {"a": )").offset.has_value());
}

TEST(HfTokenizer, IdsNeedRows) {
  TokenizerDir folder;
  Json tokenizer = SmallTokenizer();
  folder.Write("tokenizer.json", tokenizer);
  folder.vocabulary = 7;  // ids go to 7
  EXPECT_THROW(folder.Keys(), Error);
  folder.vocabulary = 8;
  EXPECT_EQ(folder.Keys().Find("tokenizer.ggml.tokens")->size(), 8U);
  folder.vocabulary = 0;  // not known
  EXPECT_EQ(folder.Keys().Find("tokenizer.ggml.tokens")->size(), 8U);
  tokenizer.Find("model")->Find("vocab")->Set("z", 2000000000);  // would be a list of gigabytes
  folder.Write("tokenizer.json", tokenizer);
  EXPECT_THROW(folder.Keys(), Error);
}

// Two tokens whose texts become the same cannot be loaded.
TEST(HfTokenizer, TokensOfOneText) {
  TokenizerDir folder;
  Json tokenizer = SmallTokenizer();
  Json& added = *tokenizer.Find("added_tokens");
  added.Append(ParseJson(R"({"id": 8, "content": "x y"})", ""));
  added.Append(ParseJson(R"({"id": 9, "content": "x\u2581y"})", ""));
  folder.Write("tokenizer.json", tokenizer);
  EXPECT_THROW(folder.Keys(), Error);
}

}  // namespace
}  // namespace lbrx
