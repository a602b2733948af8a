// Files of a Hugging Face folder that a GGUF file carries whole, for exact copies (--embed-hf): a
// key for each, and one with a digest of the model's and tokenizer's keys that they agree with. No
// other program knows these keys.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gguf/keys.h"
#include "formats/writer.h"

namespace lbrx {

// The names that a file can have here.
std::vector<std::string_view> EmbeddableFiles();

// Puts files into `keys`, which have all keys of the model and its tokenizer already.
void EmbedFiles(const std::vector<OutputText>& files, GgufKeys& keys);

// Whether there are such files, and whether they still say the same as the other keys: an edit,
// layers left out or other options may have changed those.
enum class Embedding : uint8_t { kNone, kStale, kCurrent };
Embedding EmbeddingIn(const GgufKeys& keys);

// The files, current or not; nullopt where this one is not there.
std::vector<OutputText> EmbeddedFiles(const GgufKeys& keys);
std::optional<std::string> EmbeddedFile(const GgufKeys& keys, std::string_view name);

}  // namespace lbrx
