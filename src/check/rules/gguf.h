// The checks of GGUF files.
#pragma once

#include <string>

#include "check/rules/rules.h"
#include "formats/gguf/keys.h"

namespace lbrx {

// The keys without which llama.cpp loads no model, and those that tensors contradict.
void CheckGgufModel(const Subject& subject, Problems& problems);
// The lists and ids of tokenizer.ggml.*: of the right types, as long as each other, in range.
void CheckGgufTokenizer(const Subject& subject, Problems& problems);

void AddGgufProblem(const Subject& subject, Severity severity, const std::string& object,
                    const std::string& what, const std::string& expected, const std::string& found,
                    Problems& problems);

}  // namespace lbrx
