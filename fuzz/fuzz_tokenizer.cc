// Tokenizers: keys made of any tokenizer.json or tokenizer.model give files, and those give the
// keys back; any keys are files or an error.
//
// First byte: 0 tokenizer.json, 1 tokenizer.model, 2 lines that become keys, 3 the files of a
// folder (input_folder.h).
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "core/base/error.h"
#include "input_folder.h"
#include "memory_bound.h"
#include "structure/pieces.h"
#include "tokenizer/tokenizer.h"

namespace {

using lbrx::GgufKeys;
using lbrx::GgufValue;

constexpr std::string_view kTokens = "tokenizer.ggml.tokens";

GgufKeys KeysOf(std::vector<lbrx::OutputText> files, uint64_t rows) {
  lbrx::TokenizerSource source;
  source.folder = "/nonexistent";
  source.files = std::move(files);
  source.vocabulary = rows;
  source.architecture = "llama";
  GgufKeys keys;
  std::vector<std::string> notices;
  AddTokenizerKeys(source, "", keys, notices);
  return keys;
}

std::vector<lbrx::OutputText> FilesOf(const GgufKeys& keys) {
  std::vector<std::string> notices;
  return TokenizerFiles(keys, lbrx::Json::MakeObject(), notices);
}

// One line a key: "model gpt2", "token a", "type 3", "merge a b", "score 1", "NAME 7" for an id.
GgufKeys KeysOfLines(std::string_view text) {
  std::vector<std::string> tokens;
  std::vector<std::string> merges;
  std::vector<int32_t> types;
  std::vector<float> scores;
  GgufKeys keys;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const size_t space = std::min(line.find(' '), line.size());
    const std::string name(line.substr(0, space));
    const std::string value(line.substr(std::min(space + 1, line.size())));
    const int32_t number = value.empty() ? 0 : value[0] - '0';
    if (name == "token") {
      tokens.push_back(value);
    } else if (name == "merge") {
      merges.push_back(value);
    } else if (name == "type") {
      types.push_back(number);
    } else if (name == "score") {
      scores.push_back(static_cast<float>(number));
    } else if (name == "model" || name == "pre") {
      keys.Set("tokenizer.ggml." + name, GgufValue::String(value));
    } else {
      keys.Set("tokenizer.ggml." + name, GgufValue::U32(static_cast<uint32_t>(number)));
    }
  }
  keys.Set(kTokens, GgufValue::Strings(tokens));
  keys.Set("tokenizer.ggml.merges", GgufValue::Strings(merges));
  if (!types.empty()) {
    keys.Set("tokenizer.ggml.token_type", GgufValue::I32s(types));
  }
  if (!scores.empty()) {
    keys.Set("tokenizer.ggml.scores", GgufValue::F32s(scores));
  }
  return keys;
}

std::vector<lbrx::OutputText> FilesOfInput(uint8_t kind, std::string_view text) {
  if (kind == 3) {
    return lbrx::SplitInputFiles(text);
  }
  return {{kind == 0 ? "tokenizer.json" : "tokenizer.model", std::string(text)}};
}

void CheckKeysOfFiles(std::vector<lbrx::OutputText> files) {
  if (files.empty()) {
    return;
  }
  const GgufKeys keys = KeysOf(std::move(files), 0);
  const std::vector<lbrx::OutputText> written = FilesOf(keys);
  const std::vector<std::string>& tokens = *keys.Find(kTokens)->AsStrings();
  if (std::count(tokens.begin(), tokens.end(), "") == 0) {  // llama.cpp gives it a name
    FUZZ_CHECK(*KeysOf(written, tokens.size()).Find(kTokens) == *keys.Find(kTokens));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const lbrx::MemoryBound bound(size);
  if (size == 0) {
    return 0;
  }
  const uint8_t kind = data[0] % 4;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    if (kind == 2) {
      FilesOf(KeysOfLines(text));
    } else {
      CheckKeysOfFiles(FilesOfInput(kind, text));
    }
  } catch (const lbrx::Error& error) {
    FUZZ_CHECK(error.code() == lbrx::ErrorCode::kInvalid ||
               error.code() == lbrx::ErrorCode::kUsage || error.code() == lbrx::ErrorCode::kIo);
  }
  return 0;
}

FUZZ_STRUCTURE(kText);
