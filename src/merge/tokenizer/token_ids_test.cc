#include "merge/tokenizer/token_ids.h"

#include <gtest/gtest.h>

namespace lbrx {
namespace {

OutputVocabulary Vocabulary() {
  OutputVocabulary vocabulary;
  vocabulary.rows = 16;
  vocabulary.donor = 1;
  vocabulary.ids = {{5, -1, 7}, {0, 1, 2}};
  vocabulary.roles = {{"eos_token", 1}};
  return vocabulary;
}

TEST(TokenIds, SetsTheSize) {
  Json config = ParseJson(R"({"model_type": "llama", "vocab_size": 3})", "");
  SetVocabularySize(Vocabulary(), "vocab_size", config);
  EXPECT_EQ(WriteJson(config), R"({"model_type":"llama","vocab_size":16})");
  Json wrapped = ParseJson(R"({"model_type": "gemma3", "text_config": {"vocab_size": 3}})", "");
  SetVocabularySize(Vocabulary(), "vocab_size", wrapped);
  EXPECT_EQ(WriteJson(wrapped), R"({"model_type":"gemma3","text_config":{"vocab_size":16}})");
}

TEST(TokenIds, MovesIds) {
  Json config = ParseJson(R"({"bos_token_id": 7, "eos_token_id": [5, 6, 7], "pad_token_id": null,
      "sep_token_id": -1, "text_config": {"image_token_index": 5}, "hidden_size": 7})",
                          "");
  std::vector<std::string> notices;
  MoveTokenIds(Vocabulary(), 0, config, notices);
  EXPECT_EQ(WriteJson(config),
            R"({"bos_token_id":2,"eos_token_id":[0,2],"pad_token_id":null,"sep_token_id":-1,)"
            R"("text_config":{"image_token_index":0},"hidden_size":7})");
  EXPECT_TRUE(notices.empty());
}

TEST(TokenIds, TokensThatAreGone) {
  Json config = ParseJson(R"({"bos_token_id": 6, "eos_token_id": [6]})", "");
  std::vector<std::string> notices;
  MoveTokenIds(Vocabulary(), 0, config, notices);
  EXPECT_EQ(WriteJson(config), R"({"bos_token_id":null,"eos_token_id":1})");
  EXPECT_EQ(notices.size(), 1U);
}

TEST(TokenIds, TheDonorsStay) {
  Json config = ParseJson(R"({"bos_token_id": 9})", "");
  std::vector<std::string> notices;
  MoveTokenIds(Vocabulary(), 1, config, notices);
  EXPECT_EQ(WriteJson(config), R"({"bos_token_id":9})");
}

}  // namespace
}  // namespace lbrx
