// The tokenizer.* keys of a GGUF file, read and checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/gguf/keys.h"
#include "tokenizer/token_keys.h"

namespace lbrx {

struct GgufTokenizer {
  std::string model;                // "gpt2", "llama"...; empty: there is no tokenizer
  std::string pre;                  // "default" where it is not named, as llama.cpp has it
  std::vector<std::string> tokens;  // none empty, none twice
  std::vector<float> scores;        // one a token; 0 where there are none
  std::vector<TokenType> types;     // one a token; normal where there are none
  std::vector<std::pair<std::string, std::string>> merges;

  bool HasType(uint64_t id, TokenType type) const { return types[id] == type; }

  // Whether the token is found in a text before the model looks at it.
  bool IsAdded(uint64_t id) const {
    return types[id] == TokenType::kControl || types[id] == TokenType::kUserDefined ||
           types[id] == TokenType::kUnknown;
  }

  // "[PAD7]" at 7: what fills the list where the model has no token.
  bool IsPadding(uint64_t id) const;
};

// Throws kInvalid for keys of a wrong type, lists that are too short, tokens that appear twice, and
// a BPE tokenizer without merges.
GgufTokenizer ReadGgufTokenizer(const GgufKeys& keys);

// The id that a role has, if it is one of the tokens: by its key, else as llama.cpp has it for
// SentencePiece vocabularies.
std::optional<uint64_t> RoleId(const GgufKeys& keys, std::string_view role,
                               const GgufTokenizer& tokenizer);

// Whether a token is added to every text: by its key, else as llama.cpp does for the model and
// pre-tokenizer. `role` is "bos", "eos" or "sep".
bool AddsRole(const GgufKeys& keys, const GgufTokenizer& tokenizer, std::string_view role);

}  // namespace lbrx
