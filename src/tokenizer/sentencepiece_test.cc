#include "tokenizer/sentencepiece.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace lbrx {
namespace {

using namespace std::string_literals;  // NOLINT(google-build-using-namespace): bytes with zeros

// Encoded by hand: pieces "<unk>" (unknown) and U+2581 "a" with score -1.5, BPE, no dummy prefix.
const std::string kModel =
    "\x0A\x0E\x0A\x05<unk>\x15\x00\x00\x00\x00\x18\x02"
    "\x0A\x0B\x0A\x04\xE2\x96\x81"
    "a\x15\x00\x00\xC0\xBF"
    "\x12\x02\x18\x02"
    "\x1A\x02\x18\x00"s;

TEST(SentencePiece, ReadsBytes) {
  const SentencePieceModel model = ReadSentencePieces(kModel, "m");
  ASSERT_EQ(model.pieces.size(), 2U);
  EXPECT_EQ(model.pieces[0].text, "<unk>");
  EXPECT_EQ(model.pieces[0].type, TokenType::kUnknown);
  EXPECT_EQ(model.pieces[1].text,
            "\u2581"
            "a");
  EXPECT_EQ(model.pieces[1].score, -1.5F);
  EXPECT_EQ(model.pieces[1].type, TokenType::kNormal);
  EXPECT_EQ(model.kind, SentencePieceModel::Kind::kBpe);
  EXPECT_FALSE(model.add_dummy_prefix);
  EXPECT_TRUE(model.remove_extra_whitespaces);
}

TEST(SentencePiece, WritesWhatItReads) {
  SentencePieceModel model = ReadSentencePieces(kModel, "m");
  model.byte_fallback = true;
  model.pad = -1;
  model.eos = 7;
  const std::string bytes = WriteSentencePieces(model);
  EXPECT_EQ(bytes.substr(0, 31), kModel.substr(0, 29) + bytes.substr(29, 2));
  const SentencePieceModel again = ReadSentencePieces(bytes, "m");
  EXPECT_EQ(again.pieces.size(), 2U);
  EXPECT_TRUE(again.byte_fallback);
  EXPECT_EQ(again.pad, -1);
  EXPECT_EQ(again.eos, 7);
  EXPECT_FALSE(again.add_dummy_prefix);
  EXPECT_EQ(WriteSentencePieces(again), bytes);
}

void ExpectRefused(const std::string& bytes) {
  try {
    ReadSentencePieces(bytes, "m");
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    ASSERT_TRUE(error.detail().offset.has_value());
    EXPECT_LE(*error.detail().offset, bytes.size());
  }
}

TEST(SentencePiece, RefusesWhatIsCutOff) {
  const size_t ends[] = {16, 29, 33, 37};  // where a field ends
  for (size_t length = 0; length < kModel.size(); ++length) {
    if (std::find(std::begin(ends), std::end(ends), length) == std::end(ends)) {
      ExpectRefused(kModel.substr(0, length));
    }
  }
}

TEST(SentencePiece, RefusesWhatIsNoModel) {
  ExpectRefused("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01");      // a length of 2^64 - 1
  ExpectRefused("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01");  // more than ten bytes
  ExpectRefused("\x08\x01");                                          // a number for a piece
  ExpectRefused("\x0B");                                              // a group
  ExpectRefused("\x02\x00"s);                                         // field 0
  ExpectRefused("\x0A\x03\x0A\x01\xFF");                              // no UTF-8
  ExpectRefused("\x0A\x02\x18\x09");                                  // type 9
  ExpectRefused("\x12\x02\x18\x09" + kModel);                         // kind 9
  ExpectRefused("{\"version\": \"1.0\"}");
}

// Fields that are not known are passed over.
TEST(SentencePiece, PassesOverOtherFields) {
  const std::string other = "\x22\x03xyz\x29\x01\x02\x03\x04\x05\x06\x07\x08\xA0\x06\x05";
  EXPECT_EQ(ReadSentencePieces(other + kModel, "m").pieces.size(), 2U);
}

}  // namespace
}  // namespace lbrx
