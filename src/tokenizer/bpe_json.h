// tokenizer.json of a GGUF file's BPE.
#pragma once

#include <string>
#include <vector>

#include "formats/gguf/keys.h"
#include "tokenizer/gguf_tokenizer.h"

namespace lbrx {

// Byte-level, or with bytes as a last resort where the pre-tokenizer is one of those. Throws
// kInvalid for a pre-tokenizer that llama.cpp does not know.
std::string BpeJson(const GgufKeys& keys, const GgufTokenizer& tokenizer,
                    std::vector<std::string>& notices);

}  // namespace lbrx
