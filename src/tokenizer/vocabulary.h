// The list of tokens as a GGUF file has it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gguf/keys.h"
#include "tokenizer/token_keys.h"
#include "tokenizer/tokenizer_folder.h"

namespace lbrx {

struct Vocabulary {
  std::vector<std::string> tokens;
  std::vector<float> scores;  // empty: tokens without scores
  std::vector<TokenType> types;

  // Sets the keys of what is not empty, tokens first. Throws kInvalid for a token that appears
  // twice, as llama.cpp could not load it.
  void Write(const std::string& file, GgufKeys& keys) const;
};

// `size` tokens "[PAD0]", "[PAD1]"..., unused, to be replaced; with a score of -10000 each where
// `scored`.
Vocabulary PaddedVocabulary(uint64_t size, bool scored);

// Ids of so many tokens are below this where no embedding says how many rows there are: nothing
// else justifies the length of a list by id.
inline uint64_t TokenIdLimit(uint64_t tokens) {
  return tokens * 2 + 1024;
}

// The size of the list of a tokenizer.json: the embedding's rows (0: not known), else as its ids
// need. Throws kInvalid where an id has no row.
uint64_t RowsOf(const TokenizerFolder& folder, const std::vector<AddedToken>& added,
                uint64_t embedding);

// Byte-level BPE. `size`: rows of the embedding.
Vocabulary ByteLevelVocabulary(const TokenizerFolder& folder, uint64_t size);

// Whether an added token is a control token by its look, whatever its file says.
bool LooksSpecial(std::string_view token);

// U+2581, as which SentencePiece writes a space, replaced by spaces.
std::string WithSpaces(std::string_view token);

}  // namespace lbrx
