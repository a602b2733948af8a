// Edits of tokenizer.json that leave everything else in it as it is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tokenizer/hf_tokenizer.h"

namespace lbrx {

// `text` with these added tokens, which are sorted by id, for its own.
std::string WithAddedTokens(const std::string& text, const std::string& file,
                            const std::vector<AddedToken>& added);

// `text` without the entries of model.vocab whose ids are `limit` or more, and the merges that have
// to do with them.
std::string WithoutTokensFrom(uint64_t limit, const std::string& text, const std::string& file);

// The fields of an added token beside its id, as tokenizer_config.json has them too.
Json AddedTokenJson(const AddedToken& token);

}  // namespace lbrx
