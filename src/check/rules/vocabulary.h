// How many token ids a tokenizer.json hands out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lbrx {

// The largest id of model.vocab and added_tokens, plus one; 0 where there are none. Read as events:
// nothing is kept of a file that may have millions of merges. Throws kInvalid for bad JSON.
// Layout: the tokenizers library's; vocab is {token: id}, or for Unigram an array by id.
uint64_t VocabularySize(std::string_view text, const std::string& file);

}  // namespace lbrx
