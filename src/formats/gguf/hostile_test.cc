// Hostile and damaged GGUF files, one row a fault: what they are refused with, and that refusing
// them costs neither memory nor time. Rows are called by their case, r48 for dimensions and so on.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>

#include "formats/gguf/gguf.h"
#include "hostile/peak_memory.h"
#include "hostile/raw_gguf.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

using namespace std::string_literals;

constexpr uint64_t kHuge = uint64_t{1} << 63;
constexpr uint64_t kAll = ~uint64_t{0};

struct Row {
  std::string name;
  std::string content;
  std::vector<std::string> words;  // all of them in the message; empty: accepted
};

std::string WithKey(const std::string& key) {
  return RawGguf{.keys = {key}}.Bytes();
}

// One tensor, with 64 bytes of data.
std::string WithTensor(const std::vector<uint64_t>& ne, uint32_t type, uint64_t offset = 0) {
  return RawGguf{.tensors = {RawGgufTensor("a", ne, type, offset)}, .data = std::string(64, '\1')}
      .Bytes();
}

// Two of 32 bytes, the second at `offset`.
std::string WithSecond(uint64_t offset) {
  return RawGguf{.tensors = {RawGgufTensor("a", {8}, 0, 0), RawGgufTensor("b", {8}, 0, offset)},
                 .data = std::string(64, '\1')}
      .Bytes();
}

std::vector<Row> PreludeRows() {
  return {
      {"good", RawGguf{}.Bytes(), {}},
      {"empty", "", {"not a GGUF file", "an empty file"}},
      {"three", "GGU", {"not a GGUF file", "magic"}},
      {"magic_only", "GGUF", {"version", "the file ends inside it"}},
      {"r39_swapped", RawGguf{.magic = "FUGG"}.Bytes(), {"big-endian"}},
      {"r39_ggml", RawGguf{.magic = "GGML"}.Bytes(), {"an old GGML file"}},
      {"r39_ggjt", RawGguf{.magic = "tjgg"}.Bytes(), {"an old GGML file"}},
      {"r40_0", RawGguf{.version = 0}.Bytes(), {"version", "2 or 3", "found 0", "byte 4"}},
      {"r40_1", RawGguf{.version = 1}.Bytes(), {"version", "2 or 3", "found 1", "anew"}},
      {"r40_2", RawGguf{.version = 2}.Bytes(), {}},
      {"r40_4", RawGguf{.version = 4}.Bytes(), {"version", "2 or 3", "found 4"}},
      {"r40_be", RawGguf{.version = 0x03000000}.Bytes(), {"big-endian", "0x03000000"}},
      {"r41_tensors_2_63",
       RawGguf{.tensor_count = kHuge}.Bytes(),
       {"number of tensors", "9223372036854775808", "byte 8"}},
      {"r41_tensors_all",
       RawGguf{.tensor_count = kAll}.Bytes(),
       {"number of tensors", "at most 0"}},
      {"r41_tensors_more", RawGguf{.tensor_count = 1}.Bytes(), {"number of tensors"}},
      {"r41_keys_2_63",
       RawGguf{.key_count = kHuge}.Bytes(),
       {"number of keys", "9223372036854775808", "byte 16"}},
      {"r41_keys_all", RawGguf{.key_count = kAll}.Bytes(), {"number of keys", "at most 0"}},
      {"r41_keys_more",
       RawGguf{.keys = {RawGgufU32("a", 1)}, .key_count = 2}.Bytes(),
       {"number of keys", "at most 1"}},
  };
}

std::vector<Row> KeyRows() {
  const std::string u32 = LittleEndian(1, 4);
  return {
      {"r42_empty", WithKey(RawGgufU32("", 1)), {"without a name", "byte 24"}},
      {"r42_length", WithKey(LittleEndian(kAll, 8) + "a" + std::string(8, '\0')), {"too long"}},
      {"r42_65535", WithKey(RawGgufU32(std::string(65535, 'k'), 1)), {}},
      {"r42_65536", WithKey(RawGgufU32(std::string(65536, 'k'), 1)), {"at most 65535"}},
      {"r42_nul", WithKey(RawGgufU32("a\0b"s, 1)), {"NUL"}},
      {"r43_past_end",
       WithKey(RawGgufKey("a", 8, LittleEndian(9, 8) + "12345678")),
       {"a: a text is longer than the file", "at most 8", "found 9"}},
      {"r43_wraps", WithKey(RawGgufKey("a", 8, LittleEndian(kAll, 8) + "1")), {"too long"}},
      {"r43_2_63", WithKey(RawGgufKey("a", 8, LittleEndian(kHuge, 8) + "1")), {"too long"}},
      {"r44_nested", WithKey(RawGgufArray("a", 9, 1, LittleEndian(4, 4))), {"array of arrays"}},
      {"r44_count",
       WithKey(RawGgufArray("a", 4, 2, u32)),
       {"a: the array is longer", "at most 1", "found 2"}},
      {"r44_count_2_63", WithKey(RawGgufArray("a", 4, kHuge, u32)), {"the array is longer"}},
      {"r44_count_wraps",
       WithKey(RawGgufArray("a", 10, (kAll >> 3) + 2, std::string(16, '\0'))),
       {"the array is longer"}},
      {"r44_strings", WithKey(RawGgufArray("a", 8, kAll, u32)), {"the array is longer"}},
      {"r44_strings_cut",
       WithKey(RawGgufArray("a", 8, 2, LittleEndian(3, 8) + "abcdefgh")),
       {"a: the file ends inside it"}},
      {"r44_type", WithKey(RawGgufArray("a", 13, 1, u32)), {"unknown type", "found 13"}},
      {"r44_empty", WithKey(RawGgufArray("a", 8, 0, "")), {}},
      {"r45_type", WithKey(RawGgufKey("a", 13, u32)), {"unknown type", "0 to 12", "found 13"}},
      {"r45_type_all", WithKey(RawGgufKey("a", ~uint32_t{0}, u32)), {"unknown type"}},
      {"r45_bool", WithKey(RawGgufKey("a", 7, "\2")), {}},
      {"r46_key",
       RawGguf{.keys = {RawGgufU32("a", 1), RawGgufU32("b", 1), RawGgufU32("a", 1)}}.Bytes(),
       {"a: duplicate key", "byte 24"}},
  };
}

std::vector<Row> TensorRows() {
  const auto align = [](uint32_t alignment) {
    return WithKey(RawGgufU32("general.alignment", alignment));
  };
  std::vector<Row> rows = {
      {"r46_tensor",
       RawGguf{.tensors = {RawGgufTensor("a", {8}, 0, 0), RawGgufTensor("a", {8}, 0, 32)},
               .data = std::string(64, '\1')}
           .Bytes(),
       {"a: duplicate tensor"}},
      {"r47_0", WithTensor({}, 0), {}},
      {"r47_5", WithTensor({1, 1, 1, 1, 1}, 0), {"a: too many dimensions", "at most 4", "found 5"}},
      {"r47_2_31",
       RawGguf{
           .tensors = {GgufText("a") + LittleEndian(uint64_t{1} << 31, 4) + std::string(64, '\0')}}
           .Bytes(),
       {"too many dimensions", "2147483648"}},
      {"r48_0", WithTensor({4, 0}, 0), {"a: an impossible dimension", "found 0"}},
      {"r48_0_wrapped", WithTensor({kHuge, 2, 0}, 0), {"an impossible dimension"}},
      {"r48_negative", WithTensor({kAll}, 0), {"an impossible dimension", "found -1"}},
      {"r48_product",
       WithTensor({uint64_t{1} << 32, uint64_t{1} << 32}, 0),
       {"more elements", "4294967296"}},
      {"r48_product_63", WithTensor({uint64_t{1} << 62, 2}, 0), {"more elements"}},
      {"r48_bytes", WithTensor({uint64_t{1} << 62}, 28), {"more bytes"}},
      {"r48_exabyte", WithTensor({uint64_t{1} << 40, 1 << 10}, 0), {"not within the file"}},
      {"r49_255",
       WithTensor({255}, 12),
       {"a: rows", "whole blocks of Q4_K", "of 256", "found 255"}},
      {"r49_scalar", WithTensor({}, 2), {"whole blocks of Q4_0", "found 1"}},
      {"r51_0", align(0), {"general.alignment", "power of two", "found 0"}},
      {"r51_3", align(3), {"general.alignment", "power of two", "found 3"}},
      {"r51_4", align(4), {"general.alignment", "from 8 to 1048576", "found 4"}},
      {"r51_8", align(8), {}},
      {"r51_2_31", align(uint32_t{1} << 31), {"general.alignment", "2147483648"}},
      {"r51_2_20", align(uint32_t{1} << 20), {}},
      {"r51_type",
       WithKey(RawGgufKey("general.alignment", 10, LittleEndian(32, 8))),
       {"general.alignment", "expected u32", "found u64"}},
      {"r51_text", WithKey(RawGgufString("general.alignment", "32")), {"u32", "found str"}},
      {"r51_array",
       WithKey(RawGgufArray("general.alignment", 4, 1, LittleEndian(32, 4))),
       {"expected u32", "found u32[]"}},
      {"name_empty", RawGguf{.tensors = {RawGgufTensor("", {8}, 0, 0)}}.Bytes(), {"is empty"}},
      {"name_63",
       RawGguf{.tensors = {RawGgufTensor(std::string(63, 'n'), {8}, 0, 0)},
               .data = std::string(32, '\1')}
           .Bytes(),
       {}},
      {"name_64",
       RawGguf{.tensors = {RawGgufTensor(std::string(64, 'n'), {8}, 0, 0)}}.Bytes(),
       {"too long", "at most 63"}},
      {"name_nul", RawGguf{.tensors = {RawGgufTensor("a\0"s, {8}, 0, 0)}}.Bytes(), {"NUL"}},
  };
  for (const uint32_t type : {4, 5, 31, 32, 33, 36, 37, 38, 43, 255}) {
    rows.push_back({"r50_" + std::to_string(type),
                    WithTensor({256}, type),
                    {"unknown or removed", "found " + std::to_string(type)}});
  }
  return rows;
}

std::vector<Row> SpanRows() {
  return {
      {"whole", WithSecond(32), {}},
      {"r52_unaligned", WithSecond(33), {"b: the offset", "alignment", "offset 32", "found 33"}},
      {"r52_overlap", WithSecond(0), {"b: overlaps", "offset 32", "found 0"}},
      {"r52_hole", WithSecond(64), {"b: a hole", "offset 32", "found 64", "repair"}},
      {"r52_first", WithTensor({8}, 0, 32), {"a: a hole", "offset 0"}},
      {"r52_beyond", WithSecond(uint64_t{1} << 40), {"b: a hole"}},
      {"r52_wraps", WithSecond(kAll - 31), {"b: a hole"}},
      {"r57_last",
       RawGguf{.tensors = {RawGgufTensor("a", {9}, 0, 0)}, .data = std::string(35, '\1')}.Bytes(),
       {"a: the data is not within the file", "cut short"}},
      {"r57_unpadded",
       RawGguf{.tensors = {RawGgufTensor("a", {9}, 0, 0)}, .data = std::string(36, '\1')}.Bytes(),
       {}},
      {"declared_larger", WithTensor({17}, 0), {"a: the data is not within the file"}},
  };
}

// The first error of a file; empty: there is none.
std::string OpenFile(const std::string& path, bool collect) {
  OpenOptions options;
  options.collect_problems = collect;
  try {
    const Checkpoint checkpoint = OpenCheckpoint(path, options);
    for (const Problem& problem : checkpoint.problems) {
      if (problem.severity == Severity::kError) {
        return FormatMessage(problem.detail);
      }
    }
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid) << error.what();
    return error.what();
  }
}

std::string Open(const std::string& content, bool collect) {
  static const TempDir folder;
  const std::string path = folder / "x.gguf";
  WriteTestFile(path, content);
  return OpenFile(path, collect);
}

class HostileGguf : public testing::TestWithParam<std::vector<Row> (*)()> {};

TEST_P(HostileGguf, IsRefusedWithItsReason) {
  for (const Row& row : GetParam()()) {
    for (const bool collect : {false, true}) {
      const std::string message = Open(row.content, collect);
      EXPECT_EQ(message.empty(), row.words.empty()) << row.name << ": " << message;
      for (const std::string& word : row.words) {
        EXPECT_NE(message.find(word), std::string::npos) << row.name << ": " << message;
      }
      EXPECT_TRUE(message.empty() || message.find("x.gguf") != std::string::npos) << row.name;
      EXPECT_LT(message.size(), 2000U) << row.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Prelude, HostileGguf, testing::Values(&PreludeRows));
INSTANTIATE_TEST_SUITE_P(Keys, HostileGguf, testing::Values(&KeyRows));
INSTANTIATE_TEST_SUITE_P(Tensors, HostileGguf, testing::Values(&TensorRows));
INSTANTIATE_TEST_SUITE_P(Spans, HostileGguf, testing::Values(&SpanRows));

std::vector<std::string> Warnings(const std::string& content) {
  TempDir folder;
  WriteTestFile(folder / "x.gguf", content);
  std::vector<std::string> out;
  for (const Problem& problem : OpenCheckpoint(folder / "x.gguf").problems) {
    EXPECT_EQ(problem.severity, Severity::kWarning);
    out.push_back(FormatMessage(problem.detail));
  }
  return out;
}

TEST(OddGguf, IsReadWithAWarning) {
  const std::vector<Row> rows = {
      {"ascii", WithKey(RawGgufU32("clé", 1)), {"not printable ASCII"}},
      {"bool", WithKey(RawGgufKey("a", 7, "\2")), {"a: a boolean", "found 2", "byte 37"}},
      {"bools", WithKey(RawGgufArray("a", 7, 2, "\1\3")), {"found 3"}},
      {"alignment", WithKey(RawGgufU32("general.alignment", 1 << 17)), {"unusually large"}},
      {"trailing", WithSecond(32) + "x", {"bytes behind the data"}},
  };
  for (const Row& row : rows) {
    const std::vector<std::string> warnings = Warnings(row.content);
    ASSERT_EQ(warnings.size(), 1U) << row.name;
    for (const std::string& word : row.words) {
      EXPECT_NE(warnings[0].find(word), std::string::npos) << warnings[0];
    }
  }
}

// Every cut of a real file is refused, but for that of the last padding.
TEST(DamagedGguf, EveryCutIsRefused) {
  const std::string golden = std::string(LBRX_TEST_DATA) + "/gguf/plain.gguf";
  const StoredArray last = OpenCheckpoint(golden).arrays.back();
  const std::string content = ReadTestFile(golden);
  TempDir folder;
  const std::string path = folder / "cut.gguf";
  WriteTestFile(path, content);
  for (size_t length = content.size(); length-- > 0;) {
    std::filesystem::resize_file(path, length);
    EXPECT_EQ(OpenFile(path, false).empty(), length >= last.offset + last.bytes) << length;
  }
}

// Every changed byte of a header is either refused, or read as something that lies in the file.
TEST(DamagedGguf, EveryChangedByteIsReadOrRefused) {
  const std::string golden = std::string(LBRX_TEST_DATA) + "/gguf/plain.gguf";
  const std::string content = ReadTestFile(golden);
  const uint64_t header = OpenCheckpoint(golden).arrays.front().offset;
  size_t refused = 0;
  for (size_t i = 0; i < header; ++i) {
    std::string changed = content;
    changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
    refused += Open(changed, i % 2 == 0).empty() ? 0 : 1;
  }
  EXPECT_GT(refused, header / 4);
}

TEST(HostileGgufMemory, IsAtMostTwiceTheFileAndALittle) {
  const long before = PeakKilobytes();
  const auto begin = std::chrono::steady_clock::now();
  RawGguf strings;  // 1.5 million of them: 12 MB in the file, 48 MB in memory
  strings.keys = {RawGgufArray("a", 8, 1'500'000, std::string(12'000'000, '\0'))};
  EXPECT_NE(Open(strings.Bytes(), false).find("more memory"), std::string::npos);
  RawGguf keys;
  for (uint64_t i = 0; i < kGgufMostKeys + 1; ++i) {
    keys.keys.push_back(RawGgufKey("k" + std::to_string(i), 0, "\1"));
  }
  EXPECT_NE(Open(keys.Bytes(), false).find("number of keys"), std::string::npos);
  RawGguf tensors;  // 200,000 with names that differ at their end only
  for (uint64_t i = 0; i < 200'000; ++i) {
    tensors.tensors.push_back(
        RawGgufTensor(std::string(50, 'n') + std::to_string(i), {1}, 24, 32 * i));
  }
  tensors.data = std::string(200'000 * 32, '\1');
  EXPECT_NE(Open(tensors.Bytes(), false).find("more memory"), std::string::npos);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(seconds.count(), 30.0);
  EXPECT_LT(PeakKilobytes() - before, kMemoryFactor << 18);
}

// A set of three parts, which rows change.
class HostileSet {
 public:
  HostileSet() {
    for (uint64_t part = 0; part < 3; ++part) {
      Set(part, part, 3, 3);
    }
  }

  void Set(uint64_t part, uint64_t number, uint64_t count, uint64_t tensors,
           const std::string& tensor = "", const std::string& more_keys = "") const {
    RawGguf raw;
    raw.keys = {RawGgufKey("split.no", 2, LittleEndian(number, 2)),
                RawGgufKey("split.count", 2, LittleEndian(count, 2)),
                RawGgufKey("split.tensors.count", 5, LittleEndian(tensors, 4))};
    if (part == 0) {
      raw.keys.push_back(RawGgufString("general.architecture", "llama"));
    }
    if (!more_keys.empty()) {
      raw.keys.push_back(more_keys);
    }
    const std::string name = tensor.empty() ? "t" + std::to_string(part) : tensor;
    raw.tensors = {RawGgufTensor(name, {8}, 0, 0)};
    raw.data = std::string(32, '\1');
    WriteTestFile(Path(part), raw.Bytes());
  }

  std::string Path(uint64_t part) const { return FormatGgufPartName({folder_ / "m", part + 1, 3}); }

  std::string Refusal(const std::string& path) const {
    try {
      OpenCheckpoint(path);
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalid);
      return error.what();
    }
  }

  const TempDir& folder() const { return folder_; }

 private:
  TempDir folder_;
};

TEST(HostileGgufSet, IsRefusedWithItsReason) {
  struct SetRow {
    std::string name;
    std::function<void(const HostileSet&)> change;
    std::vector<std::string> words;
  };

  const std::vector<SetRow> rows = {
      {"whole", [](const HostileSet&) {}, {}},
      {"r53_missing",
       [](const HostileSet& set) { RemoveTree(set.Path(1)); },
       {"part 2 of 3 is missing", "m-00002-of-00003.gguf"}},
      {"r53_number",
       [](const HostileSet& set) { set.Set(1, 2, 3, 3); },
       {"split.no", "expected 1", "found 2"}},
      {"r53_count",
       [](const HostileSet& set) { set.Set(1, 1, 4, 3); },
       {"split.count", "expected 3", "found 4"}},
      {"r53_total",
       [](const HostileSet& set) { set.Set(2, 2, 3, 9); },
       {"split.tensors.count", "different models", "expected 3", "found 9"}},
      {"r53_fewer",
       [](const HostileSet& set) {
         for (uint64_t part = 0; part < 3; ++part) {
           set.Set(part, part, 3, 4);
         }
       },
       {"do not hold as many", "expected 4", "found 3"}},
      {"r53_twice",
       [](const HostileSet& set) { set.Set(2, 2, 3, 3, "t0"); },
       {"t0: the tensor is in two parts", "m-00001-of-00003.gguf"}},
      {"r53_other_model",
       [](const HostileSet& set) {
         set.Set(2, 2, 3, 3, "", RawGgufString("general.architecture", "qwen2"));
       },
       {"general.architecture", "different models"}},
      {"r53_no_keys",
       [](const HostileSet& set) { WriteTestFile(set.Path(1), RawGguf{}.Bytes()); },
       {"split.no", "found nothing"}},
      {"cut",
       [](const HostileSet& set) {
         WriteTestFile(set.Path(1), ReadTestFile(set.Path(1)).substr(0, 180));
       },
       {"m-00002-of-00003.gguf", "t1", "cut short"}},
  };
  for (const SetRow& row : rows) {
    const HostileSet set;
    row.change(set);
    const std::string message = set.Refusal(set.Path(0));
    EXPECT_EQ(message.empty(), row.words.empty()) << row.name << ": " << message;
    for (const std::string& word : row.words) {
      EXPECT_NE(message.find(word), std::string::npos) << row.name << ": " << message;
    }
  }
}

TEST(HostileGgufSet, NamesMustBeThoseOfAPart) {
  const HostileSet set;
  const std::string other = set.folder() / "m.gguf";
  WriteTestFile(other, ReadTestFile(set.Path(1)));
  EXPECT_NE(set.Refusal(other).find("expected PREFIX-00002-of-00003.gguf, found m.gguf"),
            std::string::npos);
  WriteTestFile(set.Path(0), ReadTestFile(set.Path(1)));
  EXPECT_NE(set.Refusal(set.Path(0)).find("PREFIX-00002-of-00003.gguf"), std::string::npos);
}

TEST(HostileGgufSet, PiecesOfAFileAreToBePutTogether) {
  TempDir folder;
  const std::string path = folder / "m.gguf.part1of2";
  WriteTestFile(path, WithSecond(32).substr(0, 150));
  try {
    OpenCheckpoint(path);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("`cat`"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace lbrx
