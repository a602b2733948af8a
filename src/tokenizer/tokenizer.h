// Tokenizers between the files of a Hugging Face folder and the tokenizer.* keys of a GGUF file.
// What each side means: docs/formats/tokenizers.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/json.h"
#include "formats/gguf/keys.h"
#include "formats/writer.h"

namespace lbrx {

// Where a tokenizer comes from.
struct TokenizerSource {
  std::string folder;  // of tokenizer.json, tokenizer.model...; any of them may be missing
  // Where not empty, all the files that there are, in place of those in `folder`.
  std::vector<OutputText> files = {};
  Json config;               // config.json, of a multimodal model too the whole of it
  uint64_t vocabulary = 0;   // rows of the embedding, which the list of tokens fills; 0: not known
  std::string architecture;  // GGUF's name of it: "llama", "gemma3"
};

// Sets every tokenizer.* key that llama.cpp's converter writes for these files, in its order, with
// its types and values. `pre` names the pre-tokenizer; empty: it is recognised by the structure of
// tokenizer.json. Throws kUsage where that fails or `pre` is no name of llama.cpp's, kInvalid for
// files that contradict themselves or the embedding, kIo where there is no vocabulary.
void AddTokenizerKeys(const TokenizerSource& source, const std::string& pre, GgufKeys& keys,
                      std::vector<std::string>& notices);

// Whether the folder has a vocabulary that AddTokenizerKeys reads.
bool HasTokenizer(const std::string& folder);

// The files of a Hugging Face folder that encode as llama.cpp does with `keys`: tokenizer.json,
// tokenizer_config.json, generation_config.json, of SentencePiece vocabularies tokenizer.model, and
// the chat template. `config` is the model's config.json. Kinds of vocabularies that cannot be
// written are a notice. Throws kInvalid for keys that contradict themselves.
std::vector<OutputText> TokenizerFiles(const GgufKeys& keys, const Json& config,
                                       std::vector<std::string>& notices);

// The text of the file of this name; nullptr where it is not among them.
const std::string* FindText(const std::vector<OutputText>& files, std::string_view name);

// The names that tokenizer.ggml.pre can have, sorted.
std::vector<std::string> PreTokenizerNames();

}  // namespace lbrx
