// A folder with a small tokenizer, for tests that change one thing of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/text/json.h"
#include "support/temp_dir.h"
#include "tokenizer/tokenizer.h"

namespace lbrx {

// Byte-level BPE of six tokens and two added ones.
inline Json SmallTokenizer() {
  constexpr std::string_view kText = R"({
    "version": "1.0",
    "added_tokens": [
      {"id": 6, "content": "<bos>", "special": true, "normalized": false},
      {"id": 7, "content": "<eos>", "special": true, "normalized": false}],
    "normalizer": null,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
    "post_processor": null,
    "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE",
              "vocab": {"a": 0, "b": 1, "c": 2, "ab": 3, "\u0120": 4, "\u0120a": 5},
              "merges": [["a", "b"], ["\u0120", "a"]]}})";
  return ParseJson(kText, "small");
}

class TokenizerDir {
 public:
  void Write(const std::string& name, const std::string& content) {
    WriteTestFile(dir_ / name, content);
  }

  void Write(const std::string& name, const char* content) { Write(name, std::string(content)); }

  void Write(const std::string& name, const Json& content) { Write(name, WriteJson(content)); }

  std::string path() const { return dir_.path(); }

  GgufKeys Keys(const std::string& pre = "") {
    TokenizerSource source;
    source.folder = dir_.path();
    source.config = config;
    source.vocabulary = vocabulary;
    source.architecture = architecture;
    GgufKeys keys;
    notices.clear();
    AddTokenizerKeys(source, pre, keys, notices);
    return keys;
  }

  Json config = Json::MakeObject();
  uint64_t vocabulary = 10;
  std::string architecture = "qwen3";
  std::vector<std::string> notices;

 private:
  TempDir dir_;
};

}  // namespace lbrx
