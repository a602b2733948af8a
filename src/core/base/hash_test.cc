// Expected values: the xxhash package of PyPI and Python's hashlib.
#include "core/base/hash.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lbrx {
namespace {

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// Bytes i mod 251.
std::string Pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) {
    text[i] = static_cast<char>(i % 251);
  }
  return text;
}

struct Case {
  std::string text;
  uint64_t hash64;
  const char* hash128;
  const char* sha256;
};

std::vector<Case> Cases() {
  return {{"", 0x2d06800538d394c2, "99aa06d3014798d86001c324468d497f",
           "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
          {"lbrx", 0xcb71e07881f42510, "131e2beaeeccc11696f0748104cdcb04",
           "6c522412afdbd617a7efa9dbbcae4b0d0b2b38559b3c9c0c7724f0c405bf243f"},
          {Pattern(200), 0xf42a8864feaf0703, "cb0395310643ba0edd97e9af3609d9f5",
           "1901da1c9f699b48f6b2636e65cbf73abf99d0441ef67f5c540a42f7051dec6f"},
          {Pattern(100000), 0x42c23aeead96750d, "54182c58bbb1337c42c23aeead96750d",
           "cd2df694e424bc7968cc37f47751019e5ca0cd1bdf2e479ea537c3a1c32ee1aa"}};
}

TEST(HashTest, MatchesTheReferences) {
  for (const Case& test : Cases()) {
    EXPECT_EQ(Hash64(Bytes(test.text)), test.hash64) << test.text.size();
    Hasher128 hasher;
    hasher.Update(test.text);
    EXPECT_EQ(hasher.Finish().Hex(), test.hash128) << test.text.size();
    Sha256 sha;
    sha.Update(Bytes(test.text));
    EXPECT_EQ(sha.FinishHex(), test.sha256) << test.text.size();
  }
}

TEST(HashTest, PiecesGiveTheHashOfTheWhole) {
  for (const Case& test : Cases()) {
    for (const size_t piece : {1, 7, 64, 4096}) {
      Hasher128 hasher;
      Sha256 sha;
      for (size_t i = 0; i < test.text.size(); i += piece) {
        const std::string part = test.text.substr(i, piece);
        hasher.Update(Bytes(part));
        sha.Update(Bytes(part));
      }
      EXPECT_EQ(hasher.Finish().Hex(), test.hash128) << piece;
      EXPECT_EQ(sha.FinishHex(), test.sha256) << piece;
    }
  }
}

TEST(HashTest, FinishLeavesTheHasherUsable) {
  Hasher128 hasher;
  hasher.Update("lb");
  const Hash128 first = hasher.Finish();
  EXPECT_EQ(hasher.Finish(), first);
  hasher.Update("rx");
  EXPECT_EQ(hasher.Finish().Hex(), "131e2beaeeccc11696f0748104cdcb04");
}

}  // namespace
}  // namespace lbrx
