// The pre_tokenizer of tokenizer.json, recognised and written.
#pragma once

#include <string>
#include <string_view>

#include "core/text/json.h"
#include "tokenizer/hf_tokenizer.h"
#include "tokenizer/pre_patterns.h"

namespace lbrx {

// The value of tokenizer.ggml.pre for a byte-level tokenizer: `pre` where it is given, else by the
// expressions; of several names with the same ones that of `architecture`, or the usual one. Throws
// kUsage, naming what comes near.
std::string PreTokenizerName(const HfTokenizer& tokenizer, const std::string& pre,
                             std::string_view architecture);

Json WritePreTokenizer(const PrePattern& pattern);

}  // namespace lbrx
