#include "merge/tokenizer/output_vocabulary.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/error.h"
#include "merge/tokenizer/test_tokenizers.h"

namespace lbrx {
namespace {

using Source = TokenizerRequest::Source;

OutputVocabulary Build(const std::vector<ModelTokenizer>& models, const TokenizerRequest& request,
                       std::vector<std::string>* said = nullptr) {
  std::vector<std::string> notices;
  OutputVocabulary vocabulary = BuildOutputVocabulary(models, 0, request, notices);
  if (said != nullptr) {
    *said = notices;
  }
  return vocabulary;
}

std::string Refusal(const std::vector<ModelTokenizer>& models, const TokenizerRequest& request) {
  try {
    Build(models, request);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }
  return "";
}

bool Mentions(const std::vector<std::string>& notices, const std::string& text) {
  return std::any_of(notices.begin(), notices.end(), [&](const std::string& notice) {
    return notice.find(text) != std::string::npos;
  });
}

std::vector<ModelTokenizer> TwoModels() {
  return {TestModel("base", 40), TestModel("chat", 42)};
}

TEST(OutputVocabulary, NumbersNewTokensByModelAndId) {
  const OutputVocabulary vocabulary =
      Build({TestModel("base", 40), TestModel("chat", 42), TestModel("reverse", 37)}, {});
  std::vector<std::string> added;
  for (const AddedToken& token : vocabulary.added) {
    if (token.id >= 35) {  // the base's
      EXPECT_EQ(token.id, 35 + added.size());
      added.push_back(token.content);
    }
  }
  // Plain tokens of each model, then added ones.
  EXPECT_EQ(added, (std::vector<std::string>{"ll", "hell", "me", "en", "<|im_start|>", "<|im_end|>",
                                             "hello", "met", "<fill>", "<|tool|>"}));
}

TEST(OutputVocabulary, OneTokenizerStaysAsItIs) {
  std::vector<std::string> notices;
  const OutputVocabulary vocabulary =
      Build({TestModel("base", 40), TestModel("base", 35)}, {}, &notices);
  EXPECT_FALSE(vocabulary.changed);
  EXPECT_EQ(vocabulary.rows, 35U);
  EXPECT_EQ(vocabulary.ids[0], vocabulary.ids[1]);
  EXPECT_TRUE(notices.empty());
}

TEST(OutputVocabulary, ModelsWithoutATokenizerHaveTheBases) {
  std::vector<ModelTokenizer> models = {TestModel("base", 40), {"bare", {}, 34}};
  std::vector<std::string> notices;
  const OutputVocabulary vocabulary = Build(models, {}, &notices);
  EXPECT_TRUE(Mentions(notices, "bare has no tokenizer"));
  EXPECT_EQ(vocabulary.ids[1][33], 33);
  EXPECT_EQ(vocabulary.ids[1][34], -1);  // it has 34 rows
}

// mergekit fails there.
TEST(OutputVocabulary, TokensWithoutARowAreAbsent) {
  std::vector<ModelTokenizer> models = {TestModel("base", 40), TestModel("chat", 30)};
  std::vector<std::string> notices;
  const OutputVocabulary vocabulary = Build(models, {}, &notices);
  EXPECT_FALSE(vocabulary.changed);  // all that it adds has no row
  EXPECT_EQ(vocabulary.ids[1][29], 29);
  EXPECT_EQ(vocabulary.ids[1][30], -1);
  EXPECT_TRUE(
      Mentions(notices, "chat: tokens of its tokenizer without a row, as vocab_size is 30: 12"));
}

TEST(OutputVocabulary, TokensOfNobodyAreSaid) {
  TokenizerRequest request;
  request.tokens = {{"<new>", {}}, {"<zero>", {.kind = TokenSource::Kind::kZero}}, {"a", {}}};
  std::vector<std::string> notices;
  const OutputVocabulary vocabulary = Build(TwoModels(), request, &notices);
  EXPECT_TRUE(Mentions(notices, "which gets zeros: 1"));
  EXPECT_EQ(vocabulary.added[vocabulary.added.size() - 2].content, "<new>");
  EXPECT_EQ(vocabulary.added.back().content, "<zero>");
  EXPECT_EQ(vocabulary.sources.size(), 3U);
}

TEST(OutputVocabulary, Pads) {
  TokenizerRequest request;
  request.source = Source::kBase;
  request.pad_to_multiple_of = 16;
  EXPECT_EQ(Build(TwoModels(), request).rows, 48U);
  request.pad_to_multiple_of = 35;
  EXPECT_EQ(Build(TwoModels(), request).rows, 35U);
  request.pad_to_multiple_of = uint64_t{1} << 63;
  EXPECT_NE(Refusal(TwoModels(), request).find("too many rows"), std::string::npos);
}

TEST(OutputVocabulary, ATokenizerOfAnotherModel) {
  TokenizerRequest request;
  request.source = Source::kModel;
  request.model = 2;
  std::vector<ModelTokenizer> models = TwoModels();
  models.push_back(TestModel("reverse", 30));  // not shortened, though it has too few rows
  const OutputVocabulary vocabulary = Build(models, request);
  EXPECT_FALSE(vocabulary.changed);
  EXPECT_EQ(vocabulary.donor, 2U);
  EXPECT_EQ(vocabulary.tokens, 36U);
  ASSERT_EQ(vocabulary.roles.size(), 2U);
  EXPECT_EQ(vocabulary.roles[0], (std::pair<std::string, uint32_t>("eos_token", 30)));
}

TEST(OutputVocabulary, RefusesSourcesThatAreNone) {
  TokenizerRequest request;
  request.tokens = {{"a", {.force = true}}};
  EXPECT_NE(Refusal(TwoModels(), request).find("`force` needs a `source`"), std::string::npos);
  request.tokens = {{"hello", {.kind = TokenSource::Kind::kModel, .model = 0}}};
  EXPECT_NE(Refusal(TwoModels(), request).find("base has no row of this token"), std::string::npos);
  request.tokens = {{"a", {.kind = TokenSource::Kind::kToken, .model = 1, .token = "<none>"}}};
  EXPECT_NE(Refusal(TwoModels(), request).find("chat has no row of the token <none>"),
            std::string::npos);
}

// The library would give a token that is added an id that another one has.
TEST(OutputVocabulary, RefusesToAddWhereIdsHaveGaps) {
  const ModelTokenizer gaps = {
      "gaps",
      {{"tokenizer.json", R"({"model": {"type": "WordLevel", "vocab": {"a": 0, "z": 9}}})"}},
      0};
  std::vector<std::string> notices;
  EXPECT_THROW(BuildOutputVocabulary({gaps, TestModel("base", 40)}, 0, {}, notices), Error);
  TokenizerRequest request;
  request.source = Source::kBase;
  const OutputVocabulary vocabulary =
      BuildOutputVocabulary({gaps, TestModel("base", 40)}, 0, request, notices);
  EXPECT_EQ(vocabulary.rows, 10U);
  EXPECT_EQ(vocabulary.tokens, 2U);
  EXPECT_FALSE(vocabulary.is_token[5]);
}

}  // namespace
}  // namespace lbrx
