// tokenizer.json of the tokenizers library, read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/text/json.h"

namespace lbrx {

// A token that is found in a text before the model looks at it.
struct AddedToken {
  uint32_t id = 0;
  std::string content;
  bool special = false;
  bool normalized = true;    // it is searched in the normalized text
  bool single_word = false;  // it is none inside of a word
  bool lstrip = false;       // it takes the blanks before it
  bool rstrip = false;       // and behind it

  bool operator==(const AddedToken&) const = default;
};

struct HfTokenizer {
  std::string file;   // for messages; empty: there is no tokenizer.json
  Json outline;       // the file with model.vocab and model.merges null
  std::string model;  // "BPE", "Unigram", "WordPiece", "WordLevel"
  bool byte_fallback = false;
  bool ignore_merges = false;
  std::vector<std::pair<std::string, uint32_t>> vocab;  // each token once, each id once
  std::vector<float> scores;                            // Unigram: one a token
  // "left right", by rank. A space inside a piece is written U+0120, as GGUF has it.
  std::vector<std::string> merges;
  std::vector<AddedToken> added;  // ids are those that the library gives them
  // Where in the text the list of added tokens is: its first byte, and the one behind it. Both 0:
  // there is no list.
  uint64_t added_begin = 0;
  uint64_t added_end = 0;
};

// Read as events, so that memory is that of the tokens. Throws kInvalid with the byte offset for
// bad JSON, ids that are no ids, and tokens or ids that appear twice.
HfTokenizer ReadHfTokenizer(std::string_view text, const std::string& file);

// Fields of an added token as tokenizer.json and tokenizer_config.json have them.
AddedToken ReadAddedToken(const Json& token, uint64_t id, const std::string& file);

}  // namespace lbrx
