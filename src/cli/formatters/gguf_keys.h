// What a GGUF file says of its model, for people and as JSON.
#pragma once

#include <string>

#include "core/text/json.h"
#include "formats/gguf/keys.h"

namespace lbrx {

// "u32", "str[]".
std::string GgufTypeText(const GgufValue& value);

// A value as users write it. Long texts are cut, of long arrays the first elements are given and
// their number: "[1, 2, 3, ...] (2,048)". Safe to print.
std::string GgufValueText(const GgufValue& value);

// {key: {"type": "u32", "value": 5}}; arrays have "count" too, and of long ones "value" holds the
// first elements only. Integers are exact; what JSON has no number for is null.
Json GgufKeysJson(const GgufKeys& keys);

// "gpt2 (llama-bpe), 128,256 tokens, 280,147 merges, bos 128000, eos 128009, a chat template".
// Empty where there is no tokenizer.
std::string GgufTokenizerText(const GgufKeys& keys);
// {"model", "pre", "tokens", "merges", "special": {"bos": 1}, "chat_template"}; null likewise.
Json GgufTokenizerJson(const GgufKeys& keys);

}  // namespace lbrx
