#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/error.h"
#include "formats/safetensors/safetensors.h"
#include "hostile/raw_file.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

const std::string kFolder = std::string(LBRX_TEST_DATA) + "/safetensors/";

class SafetensorsHeaderTest : public testing::Test {
 protected:
  SafetensorsHeader Read(const std::string& content, bool collect = false) {
    const std::string path = folder_ / "x.safetensors";
    WriteTestFile(path, content);
    problems_.clear();
    return ReadSafetensorsHeader(*File::OpenRead(path), 7, &problems_, collect);
  }

  TempDir folder_;
  std::vector<Problem> problems_;
};

TEST_F(SafetensorsHeaderTest, ReadsWhatTheLibraryWrites) {
  const Json cases = ParseJson(ReadTestFile(kFolder + "cases.json"), "cases.json");
  for (const Json& item : cases.Find("cases")->AsArray()) {
    const std::string file = item.Find("file")->AsString();
    const std::string content = ReadTestFile(kFolder + file);
    const SafetensorsHeader header = Read(content);
    EXPECT_TRUE(problems_.empty()) << file;
    EXPECT_EQ(header.metadata.size(), item.Find("metadata")->AsObject().size()) << file;
    for (const auto& [key, value] : item.Find("metadata")->AsObject()) {
      EXPECT_EQ(header.metadata.at(key), value.AsString()) << file;
    }
    EXPECT_EQ(header.arrays.size(), item.Find("entries")->AsArray().size()) << file;
    for (const Json& entry : item.Find("entries")->AsArray()) {
      const std::string name = entry.Find("name")->AsString();
      const auto found = std::find_if(header.arrays.begin(), header.arrays.end(),
                                      [&](const StoredArray& array) { return array.name == name; });
      ASSERT_NE(found, header.arrays.end()) << file << " " << name;
      EXPECT_EQ(Name(found->dtype), entry.Find("dtype")->AsString());
      Shape shape;
      for (const Json& dim : entry.Find("shape")->AsArray()) {
        shape.push_back(dim.AsUint64());
      }
      EXPECT_EQ(found->shape, shape) << file << " " << name;
      EXPECT_EQ(found->file, 7U);
      // Every byte of a tensor's data is the length of its name.
      EXPECT_EQ(content.substr(found->offset, found->bytes),
                std::string(found->bytes, static_cast<char>(name.size())))
          << file << " " << name;
    }
  }
}

TEST_F(SafetensorsHeaderTest, ArraysComeByOffset) {
  const SafetensorsHeader header = Read(RawSafetensors(
      "{" + RawEntry("a", "U8", "[2]", 3, 5) + "," + RawEntry("b", "U8", "[1]", 2, 3) + "," +
          RawEntry("c", "U8", "[2]", 0, 2) + "," + RawEntry("d", "U8", "[0]", 2, 2) + "}",
      5));
  std::string order;
  for (const StoredArray& array : header.arrays) {
    order += array.name;
  }
  EXPECT_EQ(order, "cdba");
}

TEST_F(SafetensorsHeaderTest, MetadataMayBeNullOrEmptyOrMissing) {
  const std::string entry = RawEntry("a", "U8", "[1]", 0, 1);
  for (const std::string metadata : {"\"__metadata__\":null,", "\"__metadata__\":{},", ""}) {
    EXPECT_EQ(Read(RawSafetensors("{" + metadata + entry + "}", 1)).arrays.size(), 1U) << metadata;
  }
  const SafetensorsHeader header =
      Read(RawSafetensors("{" + entry + ",\"__metadata__\":{\"k\":\"v\"}}", 1));
  EXPECT_EQ(header.metadata.at("k"), "v");
}

TEST_F(SafetensorsHeaderTest, KeysOfAnEntryInAnyOrderAndUnknownOnesWarned) {
  const SafetensorsHeader header =
      Read(RawSafetensors(R"({"a":{"data_offsets":[0,4],"x":[{"y":[1,{}]}],"shape":[],"z":null,)"
                          R"("dtype":"F32"}})",
                          4));
  ASSERT_EQ(header.arrays.size(), 1U);
  EXPECT_EQ(header.arrays[0].shape.rank(), 0U);
  EXPECT_EQ(header.arrays[0].bytes, 4U);
  ASSERT_EQ(problems_.size(), 1U);
  EXPECT_EQ(problems_[0].severity, Severity::kWarning);
  EXPECT_EQ(problems_[0].detail.object, "a");
  EXPECT_NE(problems_[0].detail.what.find("unknown key \"x\"; there are 2"), std::string::npos);
}

TEST_F(SafetensorsHeaderTest, MisalignedDataIsAWarning) {
  const SafetensorsHeader header = Read(RawSafetensors(
      "{" + RawEntry("a", "U8", "[1]", 0, 1) + "," + RawEntry("b", "F32", "[1]", 1, 5) + "," +
          RawEntry("c", "F32", "[1]", 5, 9) + "}",
      9));
  EXPECT_EQ(header.arrays.size(), 3U);
  ASSERT_EQ(problems_.size(), 1U);
  EXPECT_EQ(problems_[0].severity, Severity::kWarning);
  EXPECT_EQ(problems_[0].detail.object, "b");
  EXPECT_NE(problems_[0].detail.what.find("2 tensors"), std::string::npos);
  // Without a list the warning is dropped.
  EXPECT_EQ(
      ReadSafetensorsHeader(*File::OpenRead(folder_ / "x.safetensors"), 0, nullptr).arrays.size(),
      3U);
}

TEST_F(SafetensorsHeaderTest, CollectsEveryProblem) {
  const std::string json =
      "{" + RawEntry("unknown", "F7", "[1]", 0, 4) + "," + RawEntry("good", "F32", "[1]", 0, 4) +
      "," + RawEntry("size", "F32", "[2]", 4, 8) + "," + RawEntry("beyond", "U8", "[9]", 12, 21) +
      "," + RawEntry("shape", "U8", "[1,\"x\",-1]", 4, 5) + "," +
      RawEntry("rank", "U8", "[1,1,1,1,1,1,1,1,1,1]", 4, 5) + ",\"number\":5,\"list\":[[1]]," +
      "\"empty\":{}," + "\"nested\":{\"dtype\":{\"a\":[]},\"shape\":{},\"data_offsets\":[[],{}]}," +
      RawEntry("last", "U8", "[2]", 8, 10) + "," + RawEntry("good", "U8", "[2]", 8, 10) + "}";
  const SafetensorsHeader header = Read(RawSafetensors(json, 12), true);
  ASSERT_EQ(header.arrays.size(), 2U);
  EXPECT_EQ(header.arrays[0].name, "good");
  EXPECT_EQ(header.arrays[0].dtype, DType::kF32);
  EXPECT_EQ(header.arrays[1].name, "last");
  std::map<std::string, int> by_object;
  for (const Problem& problem : problems_) {
    EXPECT_EQ(problem.severity, Severity::kError);
    EXPECT_EQ(problem.detail.file, folder_ / "x.safetensors");
    EXPECT_TRUE(problem.detail.offset.has_value()) << FormatMessage(problem.detail);
    ++by_object[problem.detail.object];
  }
  // "good": its second entry; "last": the hole before it. What lies behind the last is that of the
  // entries that were left out, so it is no problem of its own.
  for (const char* object : {"unknown", "good", "size", "beyond", "shape", "rank", "number", "list",
                             "empty", "nested", "last"}) {
    EXPECT_GE(by_object[object], 1) << object;
  }
  EXPECT_EQ(by_object[""], 0);
}

TEST_F(SafetensorsHeaderTest, EndlessProblemsAreCutOff) {
  std::string json = "{\"x\":0";
  for (int i = 0; i < 200'000; ++i) {
    json += ",\"\":0";
  }
  Read(RawSafetensors(json + "}", 0), true);
  ASSERT_EQ(problems_.size(), 1000U);
  EXPECT_EQ(problems_[0].detail.object, "x");
  EXPECT_NE(problems_.back().detail.what.find("more is wrong"), std::string::npos);
}

}  // namespace
}  // namespace lbrx
