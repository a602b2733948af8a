// Hostile and damaged files, one row a fault: what they are refused with, and that refusing them
// costs no memory. Rows are called by their case, r18 for overlaps and so on.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <functional>

#include "core/base/error.h"
#include "formats/checkpoint.h"
#include "formats/safetensors/safetensors.h"
#include "hostile/peak_memory.h"
#include "hostile/raw_file.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

using namespace std::string_literals;

// A good file that most rows change.
std::string Entry() {
  return RawEntry("a", "F32", "[2]", 0, 8);
}

template <typename Data>  // a count of bytes, or the bytes
std::string Wrap(const std::string& members, const Data& data) {
  return RawSafetensors("{" + members + "}", data);
}

std::string Good() {
  return Wrap(Entry(), 8);
}

// An entry with that text for a shape, 4 bytes of U8 data.
std::string WithShape(const std::string& shape) {
  return Wrap(RawEntry("a", "U8", shape, 0, 4), 4);
}

struct Row {
  const char* name;
  std::string content;
  std::vector<std::string> words;  // all of them in the message; empty: accepted
};

std::vector<Row> LengthRows() {
  return {
      {"r1_empty", "", {"shorter than", "at least 8 bytes", "found 0"}},
      {"r1_seven", "\x02\0\0\0\0\0\0"s, {"shorter than", "found 7"}},
      {"r2_zero", LengthField(0) + "{}", {"too short", "found 0", "byte 0"}},
      {"r2_one", LengthField(1) + "{}", {"too short", "found 1"}},
      {"r3_longer", LengthField(3) + "{}", {"longer than the file", "at most 2", "found 3"}},
      {"r3_2_63",
       LengthField(uint64_t{1} << 63) + "{}",
       {"longer than the file", "9223372036854775808"}},
      {"r3_max",
       LengthField(~uint64_t{0}) + "{}",
       {"longer than the file", "18446744073709551615"}},
      {"r3_wraps", LengthField(~uint64_t{0} - 7) + "{}", {"longer than the file"}},
  };
}

std::vector<Row> JsonRows() {
  std::string deep = "{\"a\":{\"unknown\":";
  deep += std::string(1'000'000, '[');
  return {
      {"r5_space", RawSafetensors(" {" + Entry() + "}", 8), {"does not start", "\"{\"", "byte 8"}},
      {"r5_bom", RawSafetensors("\xEF\xBB\xBF{" + Entry() + "}", 8), {"does not start", "\\xEF"}},
      {"r5_array", RawSafetensors("[" + Entry() + "]", 8), {"does not start", "found \"[\""}},
      {"r6_utf8", Wrap(RawEntry("a\xFF", "U8", "[1]", 0, 1), 1), {"invalid JSON", "UTF-8", "byte"}},
      {"r6_surrogate",
       Wrap(RawEntry("\\ud800", "U8", "[1]", 0, 1), 1),
       {"invalid JSON", "surrogate"}},
      {"r7_trailing", RawSafetensors("{" + Entry() + "}x", 8), {"invalid JSON", "byte"}},
      {"r7_object", RawSafetensors("{" + Entry() + "}{}", 8), {"invalid JSON"}},
      {"r7_nul", RawSafetensors("{" + Entry() + "}\0\0"s, 8), {"NUL byte", "byte"}},
      {"r7_padding", RawSafetensors("{" + Entry() + "}  \n\t ", 8), {}},
      {"r8_duplicate",
       Wrap(Entry() + "," + RawEntry("b", "U8", "[1]", 8, 9) + "," + Entry(), 9),
       {"a: duplicate tensor", "first entry is at byte 12", "second at byte 117"}},
      {"r8_escaped",
       Wrap(Entry() + "," + RawEntry("\\u0061", "F32", "[2]", 8, 16), 16),
       {"duplicate tensor"}},
      {"r9_dtype",
       Wrap(R"("a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]})", 8),
       {"a: duplicate key \"dtype\""}},
      {"r9_shape",
       Wrap(R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"shape":[2]})", 8),
       {"duplicate key \"shape\""}},
      {"r10_deep", RawSafetensors(deep, 0), {"nested too deep", "byte"}},
      {"cut_json", RawSafetensors("{\"a\":{\"dtype\":\"F32\"", 8), {"invalid JSON"}},
  };
}

std::vector<Row> EntryRows() {
  return {
      {"r11_dtype", Wrap(RawEntry("a", "F12", "[2]", 0, 8), 8), {"a: unknown dtype", "\"F12\""}},
      {"r11_case", Wrap(RawEntry("a", "f32", "[2]", 0, 8), 8), {"unknown dtype", "\"f32\""}},
      {"r11_number",
       Wrap(R"("a":{"dtype":5,"shape":[2],"data_offsets":[0,8]})", 8),
       {"dtype is no string", "found 5"}},
      {"r12_negative", WithShape("[-4]"), {"a: shape", "found -4"}},
      {"r12_fraction", WithShape("[4.0]"), {"shape", "found 4.0"}},
      {"r12_exponent", WithShape("[4e0]"), {"shape", "found 4e0"}},
      {"r12_2_64", WithShape("[18446744073709551616]"), {"shape", "found 18446744073709551616"}},
      {"r12_string", WithShape("[\"4\"]"), {"shape", "found \"4\""}},
      {"r12_nested", WithShape("[[4]]"), {"shape", "an array"}},
      {"r12_null", WithShape("null"), {"shape is no array", "found null"}},
      {"r12_object", WithShape("{}"), {"shape is no array"}},
      {"r12_rank", WithShape("[1,1,1,1,1,1,1,1,4]"), {"too many dimensions", "at most 8"}},
      {"r13_overflow",
       WithShape("[4294967296,4294967296]"),
       {"a: shape [4294967296, 4294967296]", "overflows"}},
      {"r13_bytes", Wrap(RawEntry("a", "F64", "[2305843009213693952]", 0, 4), 4), {"overflows"}},
      {"r14_scalar", Wrap(RawEntry("a", "F32", "[]", 0, 4), 4), {}},
      {"r14_empty", Wrap(RawEntry("a", "F32", "[0,3]", 0, 0), 0), {}},
      {"r15_first", Wrap(RawEntry("a", "U8", "[0,9223372036854775808,4]", 0, 0), 0), {"overflows"}},
      {"r15_middle",
       Wrap(RawEntry("a", "U8", "[9223372036854775808,0,4]", 0, 0), 0),
       {"overflows"}},
      {"r15_last", Wrap(RawEntry("a", "U8", "[4,9223372036854775808,0]", 0, 0), 0), {"overflows"}},
      {"r16_reversed",
       Wrap(RawEntry("a", "U8", "[4]", 4, 0), 4),
       {"a: data ends before it begins", "[4, 0]"}},
      {"r16_beyond",
       Wrap(RawEntry("a", "U8", "[5]", 0, 5), 4),
       {"beyond the end", "at most 4", "[0, 5]"}},
      {"r16_huge",
       Wrap(RawEntry("a", "U8", "[4]", ~uint64_t{0} - 4, ~uint64_t{0}), 4),
       {"beyond the end"}},
      {"r16_three",
       Wrap(R"("a":{"dtype":"U8","shape":[4],"data_offsets":[0,4,4]})", 4),
       {"data_offsets", "[begin, end]"}},
      {"r16_one",
       Wrap(R"("a":{"dtype":"U8","shape":[4],"data_offsets":[4]})", 4),
       {"data_offsets", "found 1"}},
      {"r16_negative",
       Wrap(R"("a":{"dtype":"U8","shape":[4],"data_offsets":[-4,0]})", 4),
       {"data_offsets", "found -4"}},
      {"r17_length",
       Wrap(RawEntry("a", "F32", "[2]", 0, 4), 4),
       {"a: size of the data", "8 bytes for F32 [2]", "4 bytes"}},
      {"r20_f4", Wrap(RawEntry("a", "F4", "[3]", 0, 1), 1), {"whole bytes", "F4"}},
      {"r20_f6", Wrap(RawEntry("a", "F6_E2M3", "[2]", 0, 1), 1), {"whole bytes", "F6_E2M3"}},
      {"r20_f6_good", Wrap(RawEntry("a", "F6_E3M2", "[4]", 0, 3), 3), {}},
      {"missing_dtype",
       Wrap(R"("a":{"shape":[4],"data_offsets":[0,4]})", 4),
       {"a: entry has no dtype"}},
      {"missing_shape",
       Wrap(R"("a":{"dtype":"U8","data_offsets":[0,4]})", 4),
       {"entry has no shape"}},
      {"missing_offsets",
       Wrap(R"("a":{"dtype":"U8","shape":[4]})", 4),
       {"entry has no data_offsets"}},
      {"entry_number", Wrap("\"a\":1", 0), {"a: entry is no object", "found 1"}},
      {"entry_null", Wrap("\"a\":null", 0), {"entry is no object", "found null"}},
  };
}

std::vector<Row> SpanRows() {
  const std::string a = RawEntry("a", "U8", "[4]", 0, 4);
  const std::string zip = "PK\x03\x04"s;
  return {
      {"r18_overlap",
       Wrap(a + "," + RawEntry("b", "U8", "[4]", 3, 7), 7),
       {"b: overlaps the data of \"a\"", "expected data at 4", "found 3"}},
      {"r18_same", Wrap(a + "," + RawEntry("b", "U8", "[4]", 0, 4), 4), {"overlaps the data of"}},
      {"r18_inside",
       Wrap(a + "," + RawEntry("b", "U8", "[1]", 1, 2), 4),
       {"b: overlaps the data of \"a\""}},
      {"r18_empty_inside", Wrap(a + "," + RawEntry("b", "U8", "[0]", 2, 2), 4), {"b: overlaps"}},
      {"r19_hole",
       Wrap(a + "," + RawEntry("b", "U8", "[1]", 5, 6), 6),
       {"b: hole before the data", "expected data at 4", "found 5"}},
      {"r19_first", Wrap(RawEntry("a", "U8", "[1]", 1, 2), 2), {"a: hole before the data", "at 0"}},
      {"r19_behind", Wrap(a, 5), {"bytes behind the data", "byte"}},
      {"r19_no_tensors", RawSafetensors("{}", 1), {"bytes behind the data"}},
      {"r21_misaligned",
       Wrap(RawEntry("a", "U8", "[1]", 0, 1) + "," + RawEntry("b", "F32", "[1]", 1, 5), 5),
       {}},
      {"r22_empty", Wrap(RawEntry("", "U8", "[4]", 0, 4), 4), {}},
      {"r22_nul", Wrap(RawEntry("a\\u0000b", "U8", "[4]", 0, 4), 4), {"a\\x00b: name holds a NUL"}},
      {"r22_raw_newline", Wrap(RawEntry("a\nb", "U8", "[4]", 0, 4), 4), {"invalid JSON"}},
      {"r22_odd", Wrap(RawEntry("\\n\\u001b[31m\u202e", "U8", "[4]", 0, 4), 4), {}},
      {"r22_long", Wrap(RawEntry(std::string(1 << 20, 'x'), "U8", "[4]", 0, 4), 4), {}},
      {"r23_number",
       Wrap("\"__metadata__\":{\"k\":1}," + a, 4),
       {"__metadata__: value of metadata key \"k\" is no string", "found 1"}},
      {"r23_object", Wrap("\"__metadata__\":{\"k\":{}}," + a, 4), {"__metadata__", "an object"}},
      {"r23_array", Wrap("\"__metadata__\":[]," + a, 4), {"__metadata__", "an array"}},
      {"r23_string", Wrap("\"__metadata__\":\"x\"," + a, 4), {"metadata is no object"}},
      {"r23_twice",
       Wrap("\"__metadata__\":{}," + a + ",\"__metadata__\":{}", 4),
       {"metadata stands twice"}},
      {"r23_duplicate",
       Wrap("\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}," + a, 4),
       {"duplicate metadata key \"k\""}},
      {"r23_huge",
       Wrap("\"__metadata__\":{\"k\":\"" + std::string(1 << 20, 'y') + "\"}," + a, 4),
       {}},
      {"r23_missing", Wrap(a, 4), {}},
      {"r24_zip_behind", Wrap(a, "    " + zip + std::string(60, '\0')), {"bytes behind the data"}},
      {"r26_cut", Good().substr(0, Good().size() - 1), {"beyond the end", "cut short"}},
      {"r26_grown", Good() + "x", {"bytes behind the data", "expected a file of 70 bytes"}},
  };
}

std::vector<Row> ForeignRows() {
  const std::string lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 5\n";
  return {
      {"r35_lfs", lfs, {"Git LFS pointer", "git lfs pull"}},
      {"r35_html", "<!DOCTYPE html>\n<html><body>404</body></html>", {"HTML page", "download"}},
      {"r35_html_space", "\n  <HTML><head></head></HTML>", {"HTML page"}},
      {"r35_zip", "PK\x03\x04"s + std::string(100, '\x14'), {"ZIP archive has no end record"}},
      {"r35_7z", "7z\xBC\xAF\x27\x1C"s + std::string(20, 'x'), {"7z archive"}},
      {"r35_pickle", "\x80\x02}q\x01."s + std::string(20, 'x'), {"pickle"}},
      {"r35_gguf", "GGUF\x03\0\0\0"s + std::string(10, '\0'), {"number of keys", "the file ends"}},
      {"r35_json", "{\"metadata\": {}, \"weight_map\": {}}", {"JSON text", "give the folder"}},
      {"r35_gzip", "\x1F\x8B\x08"s + std::string(20, 'x'), {"gzip"}},
      {"r35_noise", std::string(64, '\xA5'), {"longer than the file"}},
  };
}

class HostileSafetensors : public testing::TestWithParam<std::vector<Row> (*)()> {
 protected:
  // Opens `content`; the message, or "" where it was accepted.
  std::string Open(const std::string& content, bool collect = false) {
    const std::string path = folder_ / "model.safetensors";
    WriteTestFile(path, content);
    try {
      OpenOptions options;
      options.collect_problems = collect;
      const Checkpoint checkpoint = OpenCheckpoint(path, options);
      std::string problems;
      for (const Problem& problem : checkpoint.problems) {
        problems +=
            problem.severity == Severity::kError ? FormatMessage(problem.detail) + "\n" : "";
      }
      return problems;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalid) << error.what();
      EXPECT_EQ(error.detail().file, path) << error.what();
      return error.what();
    }
  }

  TempDir folder_;
};

TEST_P(HostileSafetensors, IsRefusedAndSaysWhy) {
  for (const Row& row : GetParam()()) {
    // Collected or thrown, the same is said.
    for (bool collect : {false, true}) {
      const std::string message = Open(row.content, collect);
      EXPECT_EQ(message.empty(), row.words.empty()) << row.name << ": " << message;
      for (const std::string& word : row.words) {
        EXPECT_NE(message.find(word), std::string::npos) << row.name << ": " << message;
      }
      EXPECT_LT(message.size(), 2000U) << row.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Lengths, HostileSafetensors, testing::Values(&LengthRows));
INSTANTIATE_TEST_SUITE_P(Json, HostileSafetensors, testing::Values(&JsonRows));
INSTANTIATE_TEST_SUITE_P(Entries, HostileSafetensors, testing::Values(&EntryRows));
INSTANTIATE_TEST_SUITE_P(Spans, HostileSafetensors, testing::Values(&SpanRows));
INSTANTIATE_TEST_SUITE_P(Foreign, HostileSafetensors, testing::Values(&ForeignRows));

TEST(HostileMemory, HugeLengthsCostNothing) {
  TempDir folder;
  const std::string path = folder / "sparse.safetensors";
  const long before = PeakKilobytes();
  // Files that are large enough for the header that they announce, but have no blocks on disk.
  for (uint64_t length :
       {kSafetensorsHeaderLimit + 1, uint64_t{1} << 36, kSafetensorsHeaderLimit}) {
    WriteTestFile(path, LengthField(length));
    ASSERT_EQ(truncate(path.c_str(), static_cast<off_t>(uint64_t{1} << 37)), 0);
    try {
      OpenCheckpoint(path);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalid);
      const bool too_long = length > kSafetensorsHeaderLimit;
      EXPECT_NE(std::string(error.what())
                    .find(too_long ? "too long, expected at most 100000000" : "does not start"),
                std::string::npos)
          << error.what();
    }
  }
  EXPECT_LT(PeakKilobytes() - before, 16 * 1024);
}

TEST(HostileNames, AreEscapedInMessages) {
  TempDir folder;
  const std::string path = folder / "x.safetensors";
  WriteTestFile(path, Wrap(RawEntry("\\u001b[31m\u202eevil\\n", "U8", "[3]", 0, 4), 4));
  try {
    OpenCheckpoint(path);
    ADD_FAILURE();
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(message.find('\x1b'), std::string::npos);
    EXPECT_EQ(message.find('\n'), std::string::npos);
    EXPECT_EQ(message.find("\u202e"), std::string::npos);
    EXPECT_NE(message.find("\\x1B[31m\\u{202E}evil"), std::string::npos) << message;
  }
}

TEST(HostileFiles, SpecialFilesDoNotBlock) {
  TempDir folder;
  const std::string fifo = folder / "model.safetensors";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  for (const std::string& path : {fifo, "/dev/null"s, "/dev/zero"s}) {
    try {
      OpenCheckpoint(path);
      ADD_FAILURE() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalid) << error.what();
      EXPECT_NE(std::string(error.what()).find("regular file"), std::string::npos);
    }
  }
}

TEST(HostileFiles, MissingOnesAreIo) {
  TempDir folder;
  for (const char* name : {"absent.safetensors", "no/such/folder/deep"}) {
    try {
      OpenCheckpoint(folder / name);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kIo);
      EXPECT_NE(std::string(error.what()).find("no such file or folder"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace lbrx
