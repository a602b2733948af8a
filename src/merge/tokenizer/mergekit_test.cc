// Against mergekit's own tokenizers and embeddings (tests/data/make_merge_tokenizer.py).
#include <gtest/gtest.h>

#include "merge/tokenizer/aligned_rows.h"
#include "merge/tokenizer/test_tokenizers.h"

namespace lbrx {
namespace {

ModelTokenizer OutputOf(const TokenizerCase& made, const OutputVocabulary& vocabulary) {
  std::vector<std::string> notices;
  return {"output", OutputTokenizerFiles(made.models[vocabulary.donor], vocabulary, notices),
          vocabulary.rows};
}

TEST(MergekitTokenizer, HasItsTokens) {
  for (const auto& [name, made] : TokenizerCases()) {
    std::vector<std::string> notices;
    const OutputVocabulary vocabulary = made.Build(notices);
    const SourceVocabulary output(OutputOf(made, vocabulary));
    const Json::Object& tokens = made.expected.Find("values")->AsObject();
    EXPECT_EQ(vocabulary.tokens, tokens.size()) << name;
    EXPECT_EQ(output.tokens().size(), tokens.size()) << name;
    EXPECT_EQ(vocabulary.rows, made.expected.Find("rows")->AsUint64()) << name;
    for (const auto& [token, rows] : tokens) {
      EXPECT_TRUE(output.Find(token).has_value()) << name << " " << token;
    }
    for (const auto& [token, id] : made.expected.Find("known")->AsObject()) {
      if (id.AsUint64() < made.models[vocabulary.donor].vocab_size) {
        EXPECT_EQ(output.Find(token), id.AsUint64()) << name << " " << token;
      }
    }
  }
}

TEST(MergekitTokenizer, HasItsAddedTokens) {
  for (const auto& [name, made] : TokenizerCases()) {
    std::vector<std::string> notices;
    const SourceVocabulary output(OutputOf(made, made.Build(notices)));
    const Json& expected = *made.expected.Find("added");
    EXPECT_EQ(output.added().size(), expected.AsObject().size()) << name;
    for (const AddedToken& token : output.added()) {
      const auto flag = [](bool value) { return Json(uint64_t{value ? 1U : 0U}); };
      const Json settings =
          Json::Array{flag(token.single_word), flag(token.lstrip), flag(token.rstrip),
                      flag(token.normalized), flag(token.special)};
      const Json* known = expected.Find(token.content);
      ASSERT_NE(known, nullptr) << name << " " << token.content;
      EXPECT_EQ(WriteJson(settings), WriteJson(*known)) << name << " " << token.content;
    }
  }
}

TEST(MergekitTokenizer, HasItsRows) {
  for (const auto& [name, made] : TokenizerCases()) {
    std::vector<std::string> notices;
    const auto vocabulary = std::make_shared<const OutputVocabulary>(made.Build(notices));
    const SourceVocabulary output(OutputOf(made, *vocabulary));
    const std::vector<ValuePtr> aligned = AlignRows(vocabulary, made.Matrices(), made.base);
    ASSERT_EQ(aligned.size(), made.models.size());
    for (uint32_t i = 0; i < aligned.size(); ++i) {
      EXPECT_EQ(aligned[i]->shape(), (Shape{vocabulary->rows, kTestColumns})) << name;
      EXPECT_EQ(aligned[i]->dtype(), made.dtype) << name;
      const std::vector<float> values = ReadAll(aligned[i]);
      for (const auto& [token, rows] : made.expected.Find("values")->AsObject()) {
        const uint64_t row = output.Find(token).value();
        for (uint64_t c = 0; c < kTestColumns; ++c) {
          EXPECT_EQ(values[row * kTestColumns + c],
                    static_cast<float>(rows.AsArray()[i].AsArray()[c].AsDouble()))
              << name << " " << token << " of " << made.models[i].name;
        }
      }
    }
  }
}

TEST(MergekitTokenizer, HasItsPadding) {
  uint64_t padded = 0;
  for (const auto& [name, made] : TokenizerCases()) {
    std::vector<std::string> notices;
    const auto vocabulary = std::make_shared<const OutputVocabulary>(made.Build(notices));
    const std::vector<ValuePtr> aligned = AlignRows(vocabulary, made.Matrices(), made.base);
    const Json::Array& means = made.expected.Find("padding")->AsArray();
    for (uint32_t i = 0; i < means.size(); ++i) {
      const std::vector<float> values = ReadAll(aligned[i]);
      for (uint64_t row = vocabulary->tokens; row < vocabulary->rows; ++row, ++padded) {
        for (uint64_t c = 0; c < kTestColumns; ++c) {
          EXPECT_NEAR(values[row * kTestColumns + c], means[i].AsArray()[c].AsDouble(), 1e-6)
              << name << " row " << row;
        }
      }
    }
  }
  EXPECT_GT(padded, 0U);
}

}  // namespace
}  // namespace lbrx
