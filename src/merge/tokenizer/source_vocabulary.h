// The vocabulary of a model that is merged.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "formats/writer.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_folder.h"

namespace lbrx {

// Keys of tokenizer_config.json with lists of special tokens without a role, before and since
// transformers 5.
constexpr std::array<std::string_view, 2> kFurtherTokens = {"additional_special_tokens",
                                                            "extra_special_tokens"};

// What is known of a model's tokenizer.
struct ModelTokenizer {
  std::string name;               // for messages
  std::vector<OutputText> files;  // as a Hugging Face folder has them; empty: it has no tokenizer
  uint64_t vocab_size = 0;        // config.json's; 0: not known
};

// Whether a small file of this name is a part of a tokenizer.
bool IsTokenizerFile(std::string_view name);

// The tokenizer's files of a folder, for ModelTokenizer. A tokenizer.model without a tokenizer.json
// gets one that encodes as llama.cpp does. Nothing where there is no tokenizer.
std::vector<OutputText> ReadTokenizerFiles(const TokenizerSource& source,
                                           std::vector<std::string>& notices);

// The id that the tokenizers library gives the next token that is added: behind as many as
// model.vocab has entries, and behind all that were added before.
class NextTokenId {
 public:
  void SetModelTokens(uint64_t count) { id_ = std::max(id_, count); }

  void Take(uint32_t id) { id_ = std::max(id_, uint64_t{id} + 1); }

  uint64_t Get() const { return id_; }

 private:
  uint64_t id_ = 0;
};

// The tokens of tokenizer.json and those that transformers adds to them by tokenizer_config.json:
// added_tokens_decoder, the tokens with roles, and the lists of further special tokens, each with
// the id that the tokenizers library gives it.
class SourceVocabulary {
 public:
  struct Token {
    std::string text;
    uint32_t id = 0;
    bool in_model = true;  // an entry of model.vocab; else an added token only
  };

  // Throws kInvalid for files that contradict themselves, kIo where tokenizer.json is not among
  // them.
  explicit SourceVocabulary(const ModelTokenizer& model);

  // By id.
  const std::vector<Token>& tokens() const { return tokens_; }

  // Those that are found in a text before the model looks at it, by id.
  const std::vector<AddedToken>& added() const { return added_; }

  // "bos_token" and the like with the token of this role.
  const std::vector<std::pair<std::string, std::string>>& roles() const { return roles_; }

  // The id of a text that is a token.
  std::optional<uint32_t> Find(const std::string& text) const;

 private:
  void ReadConfigured(const TokenizerFolder& folder);
  void Add(AddedToken token);
  void Append(AddedToken token);
  void CheckIds(uint64_t vocab_size) const;
  void Name(const std::string& text, uint32_t id, bool in_model);

  std::string name_;  // the model's, for messages
  NextTokenId next_id_;
  std::vector<Token> tokens_;
  std::vector<AddedToken> added_;
  std::unordered_set<std::string> added_texts_;
  std::vector<std::pair<std::string, std::string>> roles_;
  std::unordered_map<std::string, uint32_t> ids_;
  std::unordered_set<uint32_t> used_;  // ids
};

}  // namespace lbrx
