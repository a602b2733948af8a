// Vocabularies of SentencePiece's kind, which llama.cpp merges by the scores of the tokens.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tokenizer/sentencepiece.h"
#include "tokenizer/vocabulary.h"

namespace lbrx {

// Of tokenizer.model, with the added tokens of the folder's other files. `size`: rows of the
// embedding, 0 where not known; pieces beyond are left out with a notice. `all_added`: the added
// tokens of tokenizer.json are taken too, as for Phi-3.
Vocabulary SentencePieceVocabulary(const TokenizerFolder& folder, const SentencePieceModel& model,
                                   uint64_t size, bool all_added,
                                   std::vector<std::string>& notices);

// Of a tokenizer.json's BPE with byte_fallback. The scores follow from the order of the merges.
Vocabulary ByteFallbackVocabulary(const TokenizerFolder& folder, uint64_t size);

// Whether that tokenizer.json puts a space before every text.
bool PrefixesSpace(const Json& outline);

}  // namespace lbrx
