// GGUF -> Hugging Face: what the files say, and that they give the keys back.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/io/file.h"
#include "support/temp_dir.h"
#include "tokenizer/test_keys.h"
#include "tokenizer/tokenizer.h"

namespace lbrx {
namespace {

const std::string kData = LBRX_TEST_DATA;

GgufKeys KeysOf(const std::string& folder, uint64_t vocabulary,
                const std::string& architecture = "llama") {
  TokenizerSource source;
  source.folder = folder;
  source.vocabulary = vocabulary;
  source.architecture = architecture;
  GgufKeys keys;
  std::vector<std::string> notices;
  AddTokenizerKeys(source, "", keys, notices);
  return keys;
}

std::vector<OutputText> FilesOf(const GgufKeys& keys) {
  std::vector<std::string> notices;
  const Json config = Json::MakeObject();
  return TokenizerFiles(keys, config, notices);
}

Json Parsed(const std::vector<OutputText>& files, const std::string& name) {
  for (const OutputText& file : files) {
    if (file.name == name) {
      return ParseJson(file.content, name);
    }
  }
  ADD_FAILURE() << "no " << name;
  return nullptr;
}

void ExpectSameKeys(const GgufKeys& a, const GgufKeys& b) {
  for (const auto& [key, value] : a.entries()) {
    const GgufValue* other = b.Find(key);
    ASSERT_NE(other, nullptr) << key;
    EXPECT_TRUE(*other == value) << key;
  }
  EXPECT_EQ(a.entries().size(), b.entries().size());
}

TEST(ToHuggingFace, GivesTheTokenizerBack) {
  const GgufKeys keys = KeysOf(kData + "/bard-base", 2048);
  const std::vector<OutputText> files = FilesOf(keys);
  const std::string path = kData + "/bard-base/tokenizer.json";
  const Json original = ParseJson(ReadWholeFile(path), path);
  const Json written = Parsed(files, "tokenizer.json");
  for (const char* member : {"added_tokens", "pre_tokenizer", "normalizer", "decoder"}) {
    EXPECT_EQ(WriteJson(*written.Find(member)), WriteJson(*original.Find(member))) << member;
  }
  for (const char* member : {"vocab", "merges", "byte_fallback"}) {
    EXPECT_EQ(*written.Find("model")->Find(member), *original.Find("model")->Find(member))
        << member;
  }
  const Json config = Parsed(files, "tokenizer_config.json");
  EXPECT_EQ(config.Find("bos_token")->AsString(), "<|begin_of_text|>");
  EXPECT_EQ(config.Find("add_bos_token")->AsBool(), true);
  EXPECT_EQ(Parsed(files, "generation_config.json").Find("eos_token_id")->AsUint64(), 2045U);
}

TEST(ToHuggingFace, FilesGiveTheKeysBack) {
  const GgufKeys keys = KeysOf(kData + "/bard-base", 2048);
  const TempDir folder;
  for (const OutputText& file : FilesOf(keys)) {
    WriteTestFile(folder / file.name, file.content);
  }
  ExpectSameKeys(keys, KeysOf(folder.path(), 2048));
}

}  // namespace
}  // namespace lbrx
