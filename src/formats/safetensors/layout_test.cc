// The layout against files written by the safetensors library (tests/data/make_safetensors.py).
#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/error.h"
#include "formats/safetensors/safetensors.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

const std::string kFolder = std::string(LBRX_TEST_DATA) + "/safetensors/";

std::vector<SafetensorsEntry> EntriesOf(const Json& entries) {
  std::vector<SafetensorsEntry> out;
  for (const Json& entry : entries.AsArray()) {
    Shape shape;
    for (const Json& dim : entry.Find("shape")->AsArray()) {
      shape.push_back(dim.AsUint64());
    }
    out.push_back(
        {entry.Find("name")->AsString(), *DTypeByName(entry.Find("dtype")->AsString()), shape});
  }
  return out;
}

std::map<std::string, std::string> MetadataOf(const Json& metadata) {
  std::map<std::string, std::string> out;
  for (const auto& [key, value] : metadata.AsObject()) {
    out[key] = value.AsString();
  }
  return out;
}

TEST(SafetensorsLayout, IsThatOfTheLibrary) {
  const Json cases = ParseJson(ReadTestFile(kFolder + "cases.json"), "cases.json");
  int count = 0;
  for (const Json& item : cases.Find("cases")->AsArray()) {
    const std::string file = item.Find("file")->AsString();
    const std::string expected = ReadTestFile(kFolder + file);
    const std::vector<SafetensorsEntry> entries = EntriesOf(*item.Find("entries"));
    const SafetensorsLayout layout = LayOutSafetensors(entries, MetadataOf(*item.Find("metadata")));
    EXPECT_EQ(layout.header, expected.substr(0, layout.header.size())) << file;
    EXPECT_EQ(layout.file_size, expected.size()) << file;
    for (size_t i = 0; i < entries.size(); ++i) {
      // Every byte of a tensor's data is the length of its name.
      const auto filler = static_cast<char>(entries[i].name.size());
      const uint64_t bytes = entries[i].shape.elements() * Info(entries[i].dtype).bits / 8;
      EXPECT_EQ(expected.substr(layout.offsets[i], bytes), std::string(bytes, filler))
          << file << " " << entries[i].name;
    }
    ++count;
  }
  EXPECT_GE(count, 20);
}

TEST(SafetensorsLayout, ReadsBack) {
  // With the two dtypes that the library cannot write from Python.
  std::vector<SafetensorsEntry> entries;
  for (int i = 0; i < kDTypeCount; ++i) {
    entries.push_back({"t" + std::to_string(i), static_cast<DType>(i), Shape{4, 2}});
  }
  const SafetensorsLayout layout = LayOutSafetensors(entries, {{"a", "b"}, {"c", "d"}});
  EXPECT_EQ(layout.header.size() % 8, 0U);
  TempDir folder;
  WriteTestFile(folder / "x.safetensors",
                layout.header + std::string(layout.file_size - layout.header.size(), '\0'));
  const Checkpoint checkpoint = OpenCheckpoint(folder / "x.safetensors");
  EXPECT_EQ(checkpoint.metadata.at("c"), "d");
  ASSERT_EQ(checkpoint.arrays.size(), entries.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    const SourceTensor* tensor = checkpoint.Find(entries[i].name);
    ASSERT_NE(tensor, nullptr);
    const StoredArray& array = checkpoint.arrays[tensor->planes[0]];
    EXPECT_EQ(array.offset, layout.offsets[i]);
    EXPECT_EQ(array.dtype, entries[i].dtype);
    EXPECT_EQ(array.shape, entries[i].shape);
  }
  // Largest dtype first.
  EXPECT_EQ(checkpoint.arrays.front().dtype, DType::kU64);
  EXPECT_EQ(checkpoint.arrays.back().dtype, DType::kBool);
}

TEST(SafetensorsLayout, RefusesWhatHasNoSize) {
  EXPECT_THROW(LayOutSafetensors({{"x", DType::kF4, Shape{3}}}, {}), Error);
  EXPECT_THROW(LayOutSafetensors({{"x", DType::kF32, Shape{uint64_t{1} << 62}}}, {}), Error);
  EXPECT_THROW(LayOutSafetensors({{"x", DType::kU8, Shape{uint64_t{3} << 62}},
                                  {"y", DType::kU8, Shape{uint64_t{3} << 62}}},
                                 {}),
               Error);
}

TEST(SafetensorsLayout, RefusesHeaderBeyondTheLimit) {
  try {
    LayOutSafetensors({{std::string(kSafetensorsHeaderLimit, 'x'), DType::kU8, Shape{1}}}, {});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kLimit);
    EXPECT_NE(std::string(error.what()).find("--shard-size"), std::string::npos);
  }
}

}  // namespace
}  // namespace lbrx
