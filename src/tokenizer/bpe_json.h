// tokenizer.json of a GGUF file's byte-level BPE.
#pragma once

#include <string>
#include <vector>

#include "formats/gguf/keys.h"
#include "tokenizer/gguf_tokenizer.h"

namespace lbrx {

// Throws kInvalid for a pre-tokenizer that llama.cpp does not know.
std::string ByteLevelJson(const GgufKeys& keys, const GgufTokenizer& tokenizer,
                          std::vector<std::string>& notices);

}  // namespace lbrx
