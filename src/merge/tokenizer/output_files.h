// The tokenizer's files of a merge.
#pragma once

#include <string>
#include <vector>

#include "formats/writer.h"
#include "merge/tokenizer/output_vocabulary.h"

namespace lbrx {

// Made of those of the donor (models[vocabulary.donor]): byte for byte where nothing is added to or
// left out of its tokenizer. Else tokenizer.json gets the new list of added tokens, and so do
// added_tokens.json and tokenizer_config.json where they list them, or where a tokenizer.model,
// which does not, lies beside them; roles of tokens that are left out are dropped with a notice.
std::vector<OutputText> OutputTokenizerFiles(const ModelTokenizer& donor,
                                             const OutputVocabulary& vocabulary,
                                             std::vector<std::string>& notices);

}  // namespace lbrx
