#include "core/base/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <utility>

namespace lbrx {
namespace {

TEST(ErrorTest, ExitCodesAreTheContract) {
  const std::pair<ErrorCode, int> expected[] = {
      {ErrorCode::kInternal, 1},   {ErrorCode::kUsage, 2},   {ErrorCode::kInvalid, 3},
      {ErrorCode::kPermission, 4}, {ErrorCode::kIo, 5},      {ErrorCode::kNoSpace, 6},
      {ErrorCode::kLimit, 7},      {ErrorCode::kNetwork, 8}, {ErrorCode::kFindings, 10},
      {ErrorCode::kCancelled, 130}};
  std::set<std::string> names;
  for (const auto& [code, exit_code] : expected) {
    EXPECT_EQ(ExitCode(code), exit_code);
    names.insert(ErrorCodeName(code));
  }
  EXPECT_EQ(names.size(), std::size(expected));
  EXPECT_TRUE(names.contains("invalid"));
  EXPECT_TRUE(names.contains("io"));
}

TEST(ErrorTest, MessageHasAllFieldsInOrder) {
  ErrorDetail detail;
  detail.file = "model.safetensors";
  detail.object = "lm_head.weight";
  detail.what = "header is longer than the file";
  detail.expected = "at most 1024 bytes";
  detail.found = "2048";
  detail.offset = 8;
  detail.advice = "download it again";
  EXPECT_EQ(FormatMessage(detail),
            "model.safetensors: lm_head.weight: header is longer than the file, expected at most "
            "1024 bytes, found 2048, at byte 8; download it again");
}

TEST(ErrorTest, EmptyFieldsAreLeftOut) {
  EXPECT_STREQ(Error(ErrorCode::kUsage, "no such option").what(), "no such option");
  ErrorDetail detail;
  detail.what = "bad magic";
  detail.found = "GGML";
  EXPECT_EQ(FormatMessage(detail), "bad magic, found GGML");
}

TEST(ErrorTest, NamesFromFilesAreEscapedInMessages) {
  ErrorDetail detail;
  detail.object = "a\x1B[2Jb\n";
  detail.what = "unknown tensor";
  EXPECT_EQ(FormatMessage(detail), "a\\x1B[2Jb\\x0A: unknown tensor");
}

TEST(ErrorTest, FillsOnlyEmptyFields) {
  Error error(ErrorCode::kInvalid, "is cut off");
  error.InFile("a.gguf").InObject("blk.0").InFile("b.gguf").InObject("blk.1");
  EXPECT_STREQ(error.what(), "a.gguf: blk.0: is cut off");
  EXPECT_EQ(error.detail().file, "a.gguf");
  EXPECT_EQ(error.code(), ErrorCode::kInvalid);
}

TEST(ErrorTest, ErrnoPicksTheCode) {
  const std::pair<int, ErrorCode> expected[] = {
      {EACCES, ErrorCode::kPermission}, {EPERM, ErrorCode::kPermission},
      {EROFS, ErrorCode::kPermission},  {ENOSPC, ErrorCode::kNoSpace},
      {EDQUOT, ErrorCode::kNoSpace},    {EFBIG, ErrorCode::kNoSpace},
      {ENOMEM, ErrorCode::kLimit},      {ENOENT, ErrorCode::kIo},
      {EEXIST, ErrorCode::kIo},         {EIO, ErrorCode::kIo},
      {EMFILE, ErrorCode::kIo}};
  for (const auto& [number, code] : expected) {
    try {
      ThrowErrno(number, "out.gguf", "cannot be written");
      FAIL() << "did not throw";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << number;
      EXPECT_EQ(std::string(error.what()).rfind("out.gguf: cannot be written: ", 0), 0U)
          << error.what();
    }
  }
}

TEST(PrintableTest, KeepsTextOfAllScripts) {
  const std::string text = "W\u00E4rme \u4F60\u597D \U0001F600 'quoted' back\\slash";
  EXPECT_EQ(Printable(text), text);
  EXPECT_EQ(Printable(""), "");
}

TEST(PrintableTest, EscapesWhatMovesTheCursor) {
  EXPECT_EQ(Printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(Printable("\r\t\x7F"), "\\x0D\\x09\\x7F");
  EXPECT_EQ(Printable("\u0085\u009B"), "\\u{0085}\\u{009B}");        // C1 controls
  EXPECT_EQ(Printable("\u2028\u2029"), "\\u{2028}\\u{2029}");        // line and paragraph ends
  EXPECT_EQ(Printable("\u202Etxt\u2066"), "\\u{202E}txt\\u{2066}");  // overrides, isolates
  EXPECT_EQ(Printable("\u200E\u200F\u061C"), "\\u{200E}\\u{200F}\\u{061C}");
}

TEST(PrintableTest, EscapesInvalidUtf8ByteByByte) {
  EXPECT_EQ(Printable("\xFF\xC3"), "\\xFF\\xC3");                    // never valid; cut off
  EXPECT_EQ(Printable("\xC0\xAF"), "\\xC0\\xAF");                    // overlong '/'
  EXPECT_EQ(Printable("\xE0\x80\xAF"), "\\xE0\\x80\\xAF");           // overlong
  EXPECT_EQ(Printable("\xED\xA0\x80"), "\\xED\\xA0\\x80");           // surrogate
  EXPECT_EQ(Printable("\xF4\x90\x80\x80"), "\\xF4\\x90\\x80\\x80");  // above U+10FFFF
  EXPECT_EQ(Printable("\xE2\x82x"), "\\xE2\\x82x");                  // cut off before x
}

TEST(PrintableTest, CutsAtTheLimitBetweenCharacters) {
  EXPECT_EQ(Printable("abcdef", 6), "abcdef");
  EXPECT_EQ(Printable("abcdefg", 6), "abcdef...");
  EXPECT_EQ(Printable("ab\u4F60", 4), "ab...");
  EXPECT_EQ(Printable("abc\n", 6), "abc...");
  EXPECT_EQ(Printable(std::string(1000, 'x')).size(), 203U);
}

}  // namespace
}  // namespace lbrx
