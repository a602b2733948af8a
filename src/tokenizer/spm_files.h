// Files of a GGUF file's SentencePiece vocabulary.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/text/json.h"
#include "formats/gguf/keys.h"
#include "tokenizer/gguf_tokenizer.h"

namespace lbrx {

// tokenizer.json: BPE with byte_fallback, whose merges follow from the scores.
std::string ByteFallbackJson(const GgufKeys& keys, const GgufTokenizer& tokenizer);

// tokenizer.model. Added tokens and padding at the end of the list are left out; what is said of
// the others beyond their type is in ConfiguredTokensJson. nullopt where no token stands for what
// is unknown, which SentencePiece requires.
std::optional<std::string> SentencePieceFile(const GgufKeys& keys, const GgufTokenizer& tokenizer);

// added_tokens_decoder of tokenizer_config.json: the tokens whose score says that they were added.
Json ConfiguredTokensJson(const GgufTokenizer& tokenizer);

}  // namespace lbrx
