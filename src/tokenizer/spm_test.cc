// SentencePiece vocabularies, both ways.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/base/format.h"
#include "tokenizer/sentencepiece.h"
#include "tokenizer/test_folder.h"
#include "tokenizer/test_keys.h"

namespace lbrx {
namespace {

using Ints = std::vector<int64_t>;
using Numbers = std::vector<double>;
using Texts = std::vector<std::string>;

SentencePieceModel SmallModel() {
  SentencePieceModel model;
  model.kind = SentencePieceModel::Kind::kBpe;
  model.byte_fallback = true;
  model.pieces = {{"<unk>", 0, TokenType::kUnknown},
                  {"<s>", 0, TokenType::kControl},
                  {"</s>", 0, TokenType::kControl}};
  for (int byte = 0; byte < 256; ++byte) {
    model.pieces.push_back({Format("<0x{:02X}>", byte), 0, TokenType::kByte});
  }
  const char* texts[] = {"ab", "\u2581ab", "abab", "\u2581", "a", "b"};
  for (const char* text : texts) {
    model.pieces.push_back({text, -static_cast<float>(model.pieces.size() - 259)});
  }
  model.pieces.push_back({"used", 0, TokenType::kUserDefined});
  model.pieces.push_back({"no", 0, TokenType::kUnused});
  return model;
}

constexpr uint64_t kPieces = 3 + 256 + 6 + 2;

void WriteModel(TokenizerDir& folder) {
  folder.architecture = "llama";
  folder.vocabulary = kPieces + 4;
  folder.Write("tokenizer.model", WriteSentencePieces(SmallModel()));
  folder.Write("tokenizer_config.json", R"({"bos_token": "<s>", "add_bos_token": true,
      "added_tokens_decoder": {
        "0": {"content": "<unk>", "special": true},
        "267": {"content": "<|im_end|>"},
        "268": {"content": "\u2581\u2581"},
        "999": {"content": "far"}}})");
  folder.config = ParseJson(R"({"bos_token_id": 1, "eos_token_id": 2})", "");
}

TEST(Spm, ModelToKeys) {
  TokenizerDir folder;
  WriteModel(folder);
  const GgufKeys keys = folder.Keys();
  EXPECT_EQ(keys.String("tokenizer.ggml.model"), "llama");
  EXPECT_EQ(keys.String("tokenizer.ggml.pre"), "default");
  const Texts& tokens = *keys.Find("tokenizer.ggml.tokens")->AsStrings();
  EXPECT_EQ(Texts(tokens.begin() + 259, tokens.end()),
            (Texts{"ab", "\u2581ab", "abab", "\u2581", "a", "b", "used", "no", "<|im_end|>", "  ",
                   "[PAD269]", "[PAD270]"}));
  const Ints types = *keys.Find("tokenizer.ggml.token_type")->AsInts();
  EXPECT_EQ(Ints(types.begin(), types.begin() + 4), (Ints{3, 3, 3, 6}));  // <unk> was added
  EXPECT_EQ(Ints(types.begin() + 264, types.end()), (Ints{1, 1, 5, 3, 4, 5, 5}));
  const Numbers scores = *keys.Find("tokenizer.ggml.scores")->AsNumbers();
  EXPECT_EQ(scores[0], -1000);
  EXPECT_EQ(scores[261], -2);
  EXPECT_EQ(scores[267], -1000);
  EXPECT_EQ(scores[269], -10000);
  EXPECT_EQ(keys.Uint("tokenizer.ggml.eos_token_id"), 2U);
  EXPECT_EQ(folder.notices.size(), 1U);  // token 999
}

TEST(Spm, GemmaPutsNoSpace) {
  TokenizerDir folder;
  WriteModel(folder);
  EXPECT_EQ(folder.Keys().Find("tokenizer.ggml.add_space_prefix"), nullptr);
  folder.architecture = "gemma2";
  EXPECT_EQ(folder.Keys().Bool("tokenizer.ggml.add_space_prefix"), false);
}

std::vector<OutputText> FilesOf(const GgufKeys& keys) {
  std::vector<std::string> notices;
  std::vector<OutputText> files = TokenizerFiles(keys, Json::MakeObject(), notices);
  EXPECT_TRUE(notices.empty());
  return files;
}

TEST(Spm, FilesGiveTheKeysBack) {
  TokenizerDir folder;
  WriteModel(folder);
  const GgufKeys keys = folder.Keys();
  TokenizerDir again;
  again.architecture = folder.architecture;
  again.vocabulary = folder.vocabulary;
  for (const OutputText& file : FilesOf(keys)) {
    again.Write(file.name, file.content);
  }
  const GgufKeys back = again.Keys();
  EXPECT_TRUE(again.notices.empty());
  for (const auto& [key, value] : keys.entries()) {
    ASSERT_NE(back.Find(key), nullptr) << key;
    EXPECT_TRUE(*back.Find(key) == value) << key;
  }
}

Json TokenizerOf(const std::vector<OutputText>& files) {
  const auto file = std::find_if(files.begin(), files.end(), [](const OutputText& candidate) {
    return candidate.name == "tokenizer.json";
  });
  return ParseJson(file->content, file->name);
}

// Better scores first; of one piece the longer left half first.
TEST(Spm, MergesFollowFromTheScores) {
  TokenizerDir folder;
  WriteModel(folder);
  const Json tokenizer = TokenizerOf(FilesOf(folder.Keys()));
  EXPECT_EQ(WriteJson(*tokenizer.Find("model")->Find("merges")),
            "[[\"a\",\"b\"],[\"\u2581\",\"ab\"],[\"ab\",\"ab\"]]");
  EXPECT_EQ(tokenizer.Find("model")->Find("unk_token")->AsString(), "<unk>");
  EXPECT_EQ(
      WriteJson(*tokenizer.Find("normalizer")->Find("normalizers")->AsArray()[0].Find("type")),
      "\"Prepend\"");
}

// Without tokenizer.model the scores follow from the merges, in the same order.
TEST(Spm, ScoresFollowFromTheMerges) {
  TokenizerDir folder;
  WriteModel(folder);
  const GgufKeys keys = folder.Keys();
  TokenizerDir again;
  again.architecture = "llama";
  again.vocabulary = folder.vocabulary;
  again.Write("tokenizer.json", TokenizerOf(FilesOf(keys)));
  const GgufKeys back = again.Keys();
  EXPECT_EQ(back.String("tokenizer.ggml.model"), "llama");
  EXPECT_TRUE(*back.Find("tokenizer.ggml.tokens") == *keys.Find("tokenizer.ggml.tokens"));
  const Numbers scores = *back.Find("tokenizer.ggml.scores")->AsNumbers();
  EXPECT_EQ(Numbers(scores.begin() + 259, scores.begin() + 262), (Numbers{0, -1, -2}));
  const Ints types = *back.Find("tokenizer.ggml.token_type")->AsInts();
  EXPECT_EQ(types[3], 6);
  EXPECT_EQ(types[1], 3);
  EXPECT_EQ(back.Find("tokenizer.ggml.add_space_prefix"), nullptr);
}

TEST(Spm, PhiTakesAllAddedTokens) {
  TokenizerDir folder;
  WriteModel(folder);
  Json tokenizer = SmallTokenizer();
  tokenizer.Set("added_tokens", ParseJson(R"([{"id": 270, "content": "<|end|>"}])", ""));
  tokenizer.Find("model")->Set("byte_fallback", true);
  folder.Write("tokenizer.json", tokenizer);
  folder.architecture = "phi3";
  const GgufKeys keys = folder.Keys();
  EXPECT_EQ((*keys.Find("tokenizer.ggml.tokens")->AsStrings())[270], "<|end|>");
  EXPECT_EQ((*keys.Find("tokenizer.ggml.token_type")->AsInts())[270], 4);  // by its flag alone
}

}  // namespace
}  // namespace lbrx
