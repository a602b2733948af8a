#include "merge/tokenizer/source_vocabulary.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "merge/tokenizer/test_tokenizers.h"
#include "support/temp_dir.h"
#include "tokenizer/sentencepiece.h"

namespace lbrx {
namespace {

constexpr const char* kSmall = R"({
  "added_tokens": [
    {"id": 3, "content": "<s>", "special": true, "normalized": false, "lstrip": true},
    {"id": 4, "content": "plain"}],
  "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}})";

// What transformers adds, in its order: the entries of added_tokens_decoder (whatever ids they
// have there), roles, lists. Ids as transformers 5.24 gives them.
TEST(SourceVocabulary, AddsWhatTransformersAdds) {
  const ModelTokenizer model = {
      "small",
      {{"tokenizer.json", kSmall},
       {"tokenizer_config.json",
        R"({"bos_token": "<s>", "pad_token": {"content": "[PAD]", "rstrip": true},
            "unk_token": "a", "additional_special_tokens": ["<x>", "<s>"],
            "extra_special_tokens": {"image_token": "<y>"},
            "added_tokens_decoder": {"20": {"content": "<far>", "special": true}}})"}},
      0};
  const SourceVocabulary vocabulary(model);
  const std::vector<std::string> expected = {"a",     "b",     "ab",  "<s>", "plain",
                                             "<far>", "[PAD]", "<x>", "<y>"};
  ASSERT_EQ(vocabulary.tokens().size(), expected.size());
  for (uint32_t id = 0; id < expected.size(); ++id) {
    EXPECT_EQ(vocabulary.tokens()[id].text, expected[id]);
    EXPECT_EQ(vocabulary.tokens()[id].id, id);
    EXPECT_EQ(vocabulary.tokens()[id].in_model, id < 3);
    EXPECT_EQ(vocabulary.Find(expected[id]), id);
  }
  EXPECT_EQ(vocabulary.Find("c"), std::nullopt);
  ASSERT_EQ(vocabulary.added().size(), 7U);
  EXPECT_EQ(vocabulary.added()[0], (AddedToken{0, "a", true, false}));  // a role of a plain token
  EXPECT_EQ(vocabulary.added()[1], (AddedToken{3, "<s>", true, false, false, true}));
  EXPECT_EQ(vocabulary.added()[2], (AddedToken{4, "plain"}));
  EXPECT_TRUE(vocabulary.added()[4].rstrip);
  EXPECT_EQ(vocabulary.roles().size(), 3U);
}

TEST(SourceVocabulary, RefusesTwoTokensOfOneId) {
  const ModelTokenizer model = {
      "small",
      {{"tokenizer.json", R"({"model": {"type": "BPE", "vocab": {"a": 0, "b": 2}, "merges": []}})"},
       {"tokenizer_config.json", R"({"bos_token": "<s>"})"}},
      0};
  try {
    const SourceVocabulary vocabulary(model);
    FAIL() << vocabulary.tokens().size();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    EXPECT_EQ(error.detail().object, "<s>");
    EXPECT_EQ(error.detail().found, "two tokens of id 2");
  }
}

TEST(SourceVocabulary, RefusesIdsThatNothingJustifies) {
  const auto read = [](uint32_t id, uint64_t vocab_size) {
    const std::string text = R"({"model": {"type": "BPE", "vocab": {"a": )" + std::to_string(id) +
                             R"(}, "merges": []}})";
    return SourceVocabulary({"small", {{"tokenizer.json", text}}, vocab_size}).tokens().size();
  };
  EXPECT_EQ(read(1025, 0), 1U);
  EXPECT_EQ(read(1'000'000, 1'000'001), 1U);
  EXPECT_THROW(read(1026, 0), Error);
  EXPECT_THROW(read(1'000'000, 1000), Error);
}

TEST(SourceVocabulary, NeedsATokenizerJson) {
  try {
    const SourceVocabulary vocabulary({"there", {{"vocab.json", "{}"}}, 0});
    FAIL() << vocabulary.tokens().size();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_EQ(error.detail().file, "there");
  }
}

TEST(SourceVocabulary, ReadsAFolder) {
  TempDir folder;
  TokenizerSource source;
  source.folder = folder.path();
  std::vector<std::string> notices;
  EXPECT_TRUE(ReadTokenizerFiles(source, notices).empty());
  WriteTestFile(folder / "tokenizer.json", kSmall);
  WriteTestFile(folder / "chat_template.jinja", "{{ x }}");
  WriteTestFile(folder / "config.json", "{}");
  const std::vector<OutputText> files = ReadTokenizerFiles(source, notices);
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(*FindText(files, "tokenizer.json"), kSmall);
  EXPECT_EQ(*FindText(files, "chat_template.jinja"), "{{ x }}");
}

TEST(SourceVocabulary, MakesATokenizerJsonOfATokenizerModel) {
  SentencePieceModel model;
  model.kind = SentencePieceModel::Kind::kBpe;
  model.byte_fallback = true;
  model.pieces = {{"<unk>", 0, TokenType::kUnknown},
                  {"<s>", 0, TokenType::kControl},
                  {"</s>", 0, TokenType::kControl}};
  for (const char* text : {"ab", "\u2581ab", "\u2581", "a", "b"}) {
    model.pieces.push_back({text, -static_cast<float>(model.pieces.size())});
  }
  TempDir folder;
  const std::string bytes = WriteSentencePieces(model);
  WriteTestFile(folder / "tokenizer.model", bytes);
  WriteTestFile(folder / "tokenizer_config.json",
                R"({"bos_token": "<s>", "tokenizer_class": "LlamaTokenizer",
                    "added_tokens_decoder": {"8": {"content": "<|im_end|>", "special": true}}})");
  TokenizerSource source;
  source.folder = folder.path();
  source.config = ParseJson(R"({"bos_token_id": 1, "eos_token_id": 2})", "");
  source.vocabulary = 12;
  source.architecture = "llama";
  std::vector<std::string> notices;
  const std::vector<OutputText> files = ReadTokenizerFiles(source, notices);
  EXPECT_EQ(*FindText(files, "tokenizer.model"), bytes);
  const SourceVocabulary vocabulary({"spm", files, 12});
  ASSERT_EQ(vocabulary.tokens().size(), 9U);  // without the padding
  for (uint32_t id = 0; id < model.pieces.size(); ++id) {
    EXPECT_EQ(vocabulary.tokens()[id].text, model.pieces[id].text);
    EXPECT_EQ(vocabulary.tokens()[id].id, id);
  }
  EXPECT_EQ(vocabulary.Find("<|im_end|>"), 8U);
}

}  // namespace
}  // namespace lbrx
