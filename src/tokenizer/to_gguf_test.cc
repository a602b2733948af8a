// Hugging Face -> GGUF against what llama.cpp's converter writes, and by hand-made files.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/io/file.h"
#include "support/temp_dir.h"
#include "tokenizer/test_keys.h"
#include "tokenizer/tokenizer.h"

namespace lbrx {
namespace {

const std::string kData = LBRX_TEST_DATA;

Json ParseFile(const std::string& path) {
  return ParseJson(ReadWholeFile(path), path);
}

// Every architecture that the converter takes, with the tokenizer that they share.
TEST(ToGguf, KeysAreTheConverters) {
  const Json expected = ParseFile(kData + "/tokenizer/expected_keys.json");
  for (const auto& [model, architecture] : expected.Find("models")->AsObject()) {
    TokenizerSource source;
    source.folder = kData + "/bard-base";
    source.config = ParseFile(kData + "/arch/" + model + "/config.json");
    source.vocabulary = 2048;
    source.architecture = architecture.AsString();
    GgufKeys keys;
    std::vector<std::string> notices;
    AddTokenizerKeys(source, "", keys, notices);
    const Json::Object& wanted = expected.Find("keys")->AsObject();
    ASSERT_EQ(keys.entries().size(), wanted.size()) << model;
    for (size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_EQ(keys.entries()[i].first, wanted[i].first) << model;
      EXPECT_EQ(WriteJson(DescribeKey(keys.entries()[i].second)), WriteJson(wanted[i].second))
          << model << " " << wanted[i].first;
    }
    EXPECT_TRUE(notices.empty());
  }
}

}  // namespace
}  // namespace lbrx
