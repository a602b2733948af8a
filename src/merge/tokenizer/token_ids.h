// config.json and generation_config.json of a merge with a tokenizer of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/json.h"
#include "merge/tokenizer/output_vocabulary.h"

namespace lbrx {

// Sets the number of rows (`key` is its architecture's name of vocab_size), in the configuration of
// the text model of multimodal ones.
void SetVocabularySize(const OutputVocabulary& vocabulary, std::string_view key, Json& config);

// Gives every token that `config` names by its id (bos_token_id, eos_token_id, image_token_id...;
// a number or a list of them) the id that it has in the result. `model`: whose config it is. Where
// the result does not have the token, the one that has the role in its tokenizer takes its place,
// else null, with a notice.
void MoveTokenIds(const OutputVocabulary& vocabulary, uint32_t model, Json& config,
                  std::vector<std::string>& notices);

}  // namespace lbrx
