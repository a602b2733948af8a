#include "merge/tokenizer/output_files.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "merge/tokenizer/test_tokenizers.h"
#include "merge/tokenizer/tokenizer_json.h"

namespace lbrx {
namespace {

// Folders of tests/data/merge_tokenizer/output, which tests/peers loads in transformers too.
constexpr const char* kCases[] = {"union", "short_base", "short_union", "sources", "unigram"};

std::vector<OutputText> FilesOf(const std::vector<ModelTokenizer>& models,
                                const TokenizerRequest& request,
                                std::vector<std::string>& notices) {
  const OutputVocabulary vocabulary = BuildOutputVocabulary(models, 0, request, notices);
  return OutputTokenizerFiles(models[vocabulary.donor], vocabulary, notices);
}

TEST(OutputFiles, AreThoseThatTransformersLoads) {
  size_t compared = 0;
  for (const auto& [name, made] : TokenizerCases()) {
    if (std::find(std::begin(kCases), std::end(kCases), name) == std::end(kCases)) {
      continue;
    }
    std::vector<std::string> notices;
    const OutputVocabulary vocabulary = made.Build(notices);
    const std::vector<OutputText> files =
        OutputTokenizerFiles(made.models[vocabulary.donor], vocabulary, notices);
    EXPECT_EQ(files.size(), 2U) << name;
    for (const OutputText& file : files) {
      const std::string path = TestTokenizerPath("output/" + name + "/" + file.name);
      EXPECT_EQ(file.content, ReadWholeFile(path)) << path;
      ++compared;
    }
  }
  EXPECT_EQ(compared, 2 * std::size(kCases));
}

TEST(OutputFiles, NothingChangesWhereNothingIsAdded) {
  std::vector<std::string> notices;
  const std::vector<ModelTokenizer> models = {TestModel("chat", 42), TestModel("base", 40)};
  TokenizerRequest request;
  request.source = TokenizerRequest::Source::kBase;
  const std::vector<OutputText> files = FilesOf(models, request, notices);
  ASSERT_EQ(files.size(), models[0].files.size());
  for (size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ(files[i].content, models[0].files[i].content);
  }
}

TEST(OutputFiles, ListsOfAddedTokensHaveTheNewOnes) {
  std::vector<ModelTokenizer> models = {TestModel("base", 40), TestModel("chat", 42)};
  models[0].files.push_back({"tokenizer.model", "pieces"});
  models[0].files.push_back({"added_tokens.json", R"({"<pad>": 34})"});
  std::vector<std::string> notices;
  const std::vector<OutputText> files = FilesOf(models, {}, notices);
  EXPECT_EQ(*FindText(files, "tokenizer.model"), "pieces");
  EXPECT_EQ(WriteJson(ParseJson(*FindText(files, "added_tokens.json"), "")),
            R"({"<pad>":34,"ll":35,"hell":36,"hello":37,"me":38,"met":39,"<|im_start|>":40,)"
            R"("<|im_end|>":41})");
  const Json config = ParseJson(*FindText(files, "tokenizer_config.json"), "");
  const Json* decoder = config.Find("added_tokens_decoder");
  ASSERT_NE(decoder, nullptr);
  EXPECT_EQ(decoder->AsObject().size(), 3U + 7U);
  EXPECT_EQ(WriteJson(*decoder->Find("41")),
            R"({"content":"<|im_end|>","single_word":false,"lstrip":false,"rstrip":false,)"
            R"("normalized":false,"special":true})");
}

TEST(OutputFiles, TokensWithoutARowGo) {
  std::vector<ModelTokenizer> models = {TestModel("base", 30)};
  models[0].files.push_back({"special_tokens_map.json", R"({"bos_token": {"content": "<s>"},
      "additional_special_tokens": ["<pad>", "an"]})"});
  models[0].files.push_back({"tokenizer.model", "pieces"});
  std::vector<std::string> notices;
  const std::vector<OutputText> files = FilesOf(models, {}, notices);
  EXPECT_EQ(FindText(files, "tokenizer.model"), nullptr);
  EXPECT_EQ(WriteJson(ParseJson(*FindText(files, "special_tokens_map.json"), "")),
            R"({"additional_special_tokens":["an"]})");
  EXPECT_EQ(WriteJson(ParseJson(*FindText(files, "tokenizer_config.json"), "")),
            R"({"tokenizer_class":"PreTrainedTokenizerFast"})");
  EXPECT_EQ(notices.size(), 6U);  // the model, the file, and four roles
  const HfTokenizer left = ReadHfTokenizer(*FindText(files, "tokenizer.json"), "left");
  EXPECT_EQ(left.vocab.size(), 30U);  // without "and" (30) and the space's "the" (31)
  EXPECT_EQ(left.merges, (std::vector<std::string>{"h e", "t he", "a n"}));
  EXPECT_TRUE(left.added.empty());
}

TEST(TokenizerJson, KeepsTheRest) {
  const std::string text =
      R"({"version":"1.0", "added_tokens": [{"id":1, "content":"x"}],"model":{"vocab":{"a":0}}})";
  const AddedToken token = {.id = 2, .content = "y\n"};
  const std::string edited = WithAddedTokens(text, "t", {token});
  EXPECT_TRUE(edited.starts_with(R"({"version":"1.0", "added_tokens": [)")) << edited;
  EXPECT_TRUE(edited.ends_with(R"(],"model":{"vocab":{"a":0}}})")) << edited;
  ASSERT_EQ(ReadHfTokenizer(edited, "t").added.size(), 1U);
  EXPECT_EQ(ReadHfTokenizer(edited, "t").added[0], token);
  // A file without the list, or with null for it.
  for (const char* other :
       {R"({"model":{"vocab":{"a":0}}})", R"({"added_tokens":null,"model":{"vocab":{"a":0}}})"}) {
    EXPECT_EQ(WithAddedTokens(other, "t", {}), other);
    EXPECT_EQ(ReadHfTokenizer(WithAddedTokens(other, "t", {token}), "t").added[0], token);
  }
}

TEST(TokenizerJson, ShortensListsAndMergesOfEitherForm) {
  const std::string words = WithoutTokensFrom(2, R"({"model": {"type": "WordPiece",
      "continuing_subword_prefix": "##", "vocab": {"a": 0, "##b": 1, "ab": 2},
      "merges": ["a ##b", "##b a"]}})",
                                              "t");
  EXPECT_EQ(ReadHfTokenizer(words, "t").vocab.size(), 2U);
  EXPECT_EQ(ReadHfTokenizer(words, "t").merges, std::vector<std::string>{"##b a"});
  const std::string unigram = WithoutTokensFrom(
      1, R"({"model": {"type": "Unigram", "vocab": [["a", 0.5], ["b", 1]], "unk_id": 0}})", "t");
  EXPECT_EQ(ReadHfTokenizer(unigram, "t").scores, std::vector<float>{0.5});
}

}  // namespace
}  // namespace lbrx
