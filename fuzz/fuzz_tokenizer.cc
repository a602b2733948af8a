// Tokenizers: keys made of any tokenizer.json or tokenizer.model give files, and those give the
// keys back; any keys are files or an error.
//
// First byte: 0 tokenizer.json, 1 tokenizer.model, 2 lines that become keys.
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "core/base/error.h"
#include "core/io/file.h"
#include "tokenizer/tokenizer.h"

namespace {

// A folder for one input.
class Folder {
 public:
  Folder() : path_((std::filesystem::temp_directory_path() / "lbrx-fuzz-XXXXXX").string()) {
    FUZZ_CHECK(mkdtemp(path_.data()) != nullptr);
  }

  ~Folder() { lbrx::RemoveTree(path_); }

  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  void Write(const std::string& name, std::string_view content) const {
    lbrx::File::Create(lbrx::JoinPath(path_, name))->WriteAt(0, content);
  }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

using lbrx::GgufKeys;
using lbrx::GgufValue;

constexpr std::string_view kTokens = "tokenizer.ggml.tokens";

GgufKeys KeysOf(const Folder& folder, uint64_t rows) {
  lbrx::TokenizerSource source;
  source.folder = folder.path();
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lbrx;  // NOLINT(google-build-using-namespace)
  if (size == 0) {
    return 0;
  }
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    if (data[0] % 3 == 2) {
      FilesOf(KeysOfLines(text));
      return 0;
    }
    const Folder source;
    source.Write(data[0] % 3 == 0 ? "tokenizer.json" : "tokenizer.model", text);
    const GgufKeys keys = KeysOf(source, 0);
    const Folder written;
    for (const OutputText& file : FilesOf(keys)) {
      written.Write(file.name, file.content);
    }
    const std::vector<std::string>& tokens = *keys.Find(kTokens)->AsStrings();
    if (std::count(tokens.begin(), tokens.end(), "") == 0) {  // llama.cpp gives it a name
      FUZZ_CHECK(*KeysOf(written, tokens.size()).Find(kTokens) == *keys.Find(kTokens));
    }
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() == ErrorCode::kInvalid || error.code() == ErrorCode::kUsage);
  }
  return 0;
}
