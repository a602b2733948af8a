#include "check/manifest.h"

#include <gtest/gtest.h>

#include "core/base/hash.h"

namespace lbrx {
namespace {

Manifest Small() {
  return {
      .format = "mlx",
      .tensors = {{.name = "a.weight",
                   .scheme = "4bit/64",
                   .shape = {2, 64},
                   .file = "",
                   .xxh3_128 = std::string(32, 'a')},
                  {.name = "b\u00e9", .scheme = "bf16", .shape = {}, .file = "", .xxh3_128 = "0"}},
      .files = {{.name = "model.safetensors",
                 .path = "",
                 .bytes = 1234,
                 .data = true,
                 .sha256 = std::string(64, 'b')}}};
}

TEST(Manifest, ReadsWhatItWrites) {
  const std::string text = ManifestText(Small());
  const Manifest read = ParseManifest(text, "m.json");
  EXPECT_EQ(ManifestText(read), text);
  EXPECT_EQ(read.format, "mlx");
  ASSERT_EQ(read.tensors.size(), 2U);
  EXPECT_EQ(read.tensors[0].shape.ToString(), "[2, 64]");
  EXPECT_EQ(read.tensors[1].name, "b\u00e9");
  ASSERT_EQ(read.files.size(), 1U);
  EXPECT_EQ(read.files[0].bytes, 1234U);
  EXPECT_TRUE(read.files[0].data);
}

// The checksum is the SHA-256 of the text with an empty one, so that anybody can check it.
TEST(Manifest, ChecksumIsOfTheTextWithoutIt) {
  std::string text = ManifestText(Small());
  const size_t at = text.find("\"checksum\": \"") + 13;
  const std::string checksum = text.substr(at, 64);
  text.erase(at, 64);
  Sha256 hash;
  hash.Update(std::as_bytes(std::span(text)));
  EXPECT_EQ(hash.FinishHex(), checksum);
}

TEST(Manifest, EveryFlippedBitIsFound) {
  const std::string text = ManifestText(Small());
  for (size_t i = 0; i < text.size() * 8; ++i) {
    std::string damaged = text;
    damaged[i / 8] = static_cast<char>(damaged[i / 8] ^ (1 << (i % 8)));
    try {
      ParseManifest(damaged, "m.json");
      FAIL() << "bit " << i << " in " << damaged;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalid);
      EXPECT_EQ(error.detail().file, "m.json");
      EXPECT_NE(error.detail().what.find("the manifest itself is damaged"), std::string::npos);
    }
  }
}

TEST(Manifest, RefusesWhatIsNone) {
  for (const char* text : {"", "[]", "{}", "nonsense", R"({"schema": "lbrx.manifest.v1"})"}) {
    EXPECT_THROW(ParseManifest(text, "m.json"), Error) << text;
  }
}

// Well made by whoever made it, but not by us.
TEST(Manifest, RefusesImpossibleContent) {
  for (const char* name : {"", "/etc/passwd", "../model.safetensors", "a/b", ".", ".."}) {
    Manifest manifest = Small();
    manifest.files[0].name = name;
    EXPECT_THROW(ParseManifest(ManifestText(manifest), "m.json"), Error) << name;
  }
  std::string text = ManifestText(Small());
  const std::string shape = "\"shape\": []";
  text.replace(text.find(shape), shape.size(), "\"shape\": [1, 1, 1, 1, 1, 1, 1, 1, 1]");
  EXPECT_THROW(ParseManifest(text, "m.json"), Error);
}

}  // namespace
}  // namespace lbrx
