#include "check/repair/salvage.h"

#include <algorithm>

#include "check/repair/mend_json.h"
#include "check/repair/repair.h"
#include "check/test_model.h"
#include "core/io/file.h"

namespace lbrx {
namespace {

// The small model's one file, and what its header says.
struct SmallFile {
  SmallFile() {
    TestModel().Write(folder);
    path = folder / "model.safetensors";
    content = ReadTestFile(path);
    for (const StoredArray& array : OpenForCheck(path).arrays) {
      arrays[array.name] = array;
    }
    data_start = content.size();
    for (const auto& [name, array] : arrays) {
      data_start = std::min(data_start, array.offset);
    }
  }

  SalvagedFile Salvaged(const std::string& damaged) const {
    WriteTestFile(path, damaged);
    return Salvage(ScanFile(path), Lore());
  }

  // Every array that is said to be saved is one of the original, at its place, or has a name that
  // none has (which only its context can put right). Returns how many are right.
  size_t ExpectNothingInvented(const SalvagedFile& salvaged) const {
    size_t right = 0;
    for (const StoredArray& array : salvaged.arrays) {
      const auto original = arrays.find(array.name);
      if (original != arrays.end() && original->second.offset == array.offset) {
        EXPECT_EQ(array.dtype, original->second.dtype) << array.name;
        EXPECT_EQ(array.shape, original->second.shape) << array.name;
        EXPECT_EQ(array.bytes, original->second.bytes) << array.name;
        ++right;
      }
    }
    return right;
  }

  TempDir folder;
  std::string path;
  std::string content;
  std::map<std::string, StoredArray> arrays;
  uint64_t data_start = 0;
};

// Cuts at every border between two tensors, and a byte before and behind it.
TEST(Salvage, SavesWhatLiesBeforeACut) {
  const SmallFile file;
  for (const auto& [border, array] : file.arrays) {
    for (const int shift : {-1, 0, 1}) {
      const uint64_t size = array.offset + array.bytes + static_cast<uint64_t>(shift);
      const SalvagedFile salvaged = file.Salvaged(file.content.substr(0, size));
      const auto whole = static_cast<size_t>(std::count_if(
          file.arrays.begin(), file.arrays.end(),
          [&](const auto& row) { return row.second.offset + row.second.bytes <= size; }));
      EXPECT_EQ(file.ExpectNothingInvented(salvaged), whole) << border << " " << shift;
      EXPECT_EQ(salvaged.arrays.size(), whole);
      EXPECT_EQ(salvaged.arrays.size() + salvaged.lost.size(), file.arrays.size());
      for (const Lost& lost : salvaged.lost) {
        EXPECT_EQ(lost.bytes, file.arrays.at(lost.tensor).bytes);
      }
    }
  }
}

// One bit flipped in every byte of the header, another one from byte to byte: at most the tensor is
// lost whose entry was hit, and no other bytes are taken for it.
TEST(Salvage, SurvivesAFlippedBitAnywhereInTheHeader) {
  const SmallFile file;
  for (size_t at = 0; at < file.data_start; ++at) {
    std::string damaged = file.content;
    damaged[at] = static_cast<char>(static_cast<uint8_t>(damaged[at]) ^ (1U << (at * 5 % 8)));
    const SalvagedFile salvaged = file.Salvaged(damaged);
    EXPECT_GE(file.ExpectNothingInvented(salvaged), file.arrays.size() - 1) << "byte " << at;
    EXPECT_LE(salvaged.arrays.size(), file.arrays.size()) << "byte " << at;
  }
}

// With what the layers of the model tell about each other, hardly anything is lost.
TEST(Repair, PutsNearlyAllOfThemRight) {
  const SmallFile file;
  size_t lost = 0;
  size_t tried = 0;
  for (size_t at = 1; at < file.data_start; at += 5) {
    std::string damaged = file.content;
    damaged[at] = static_cast<char>(static_cast<uint8_t>(damaged[at]) ^ (1U << (at * 3 % 8)));
    WriteTestFile(file.path, damaged);
    RepairRequest request;
    request.source = file.folder.path();
    request.destination = file.folder.path() + "-out";
    const Repair repair = PlanRepair(request, nullptr);
    for (const StoredArray& array : repair.plan.sources[0]->arrays) {
      ASSERT_EQ(file.arrays.count(array.name), 1U) << "byte " << at << ": " << array.name;
      EXPECT_EQ(file.arrays.at(array.name).offset, array.offset) << "byte " << at;
      EXPECT_EQ(file.arrays.at(array.name).shape, array.shape) << "byte " << at;
      EXPECT_EQ(file.arrays.at(array.name).dtype, array.dtype) << "byte " << at;
    }
    EXPECT_EQ(repair.tensors + repair.lost.size(), file.arrays.size())
        << "byte " << at << (repair.lost.empty() ? "" : repair.lost[0].tensor);
    lost += repair.lost.size();
    ++tried;
  }
  EXPECT_LE(lost * 50, tried);
}

TEST(Salvage, ReadsHeadersInAnyStyle) {
  const SmallFile file;
  // Python's json.dumps with its spaces, other fields first, not padded.
  const std::string header = R"({"a": {"data_offsets": [0, 8], "shape": [2, 2], "dtype": "BF16"}, )"
                             R"("b": {"data_offsets": [8, 12], "shape": [], "dtype": "F32"}})";
  const std::string data = "0123456789ab";
  std::string content;
  for (int shift = 0; shift < 64; shift += 8) {
    content += static_cast<char>((header.size() >> shift) & 0xFF);
  }
  content += header + data;
  for (size_t at = 0; at < 8 + header.size(); ++at) {
    std::string damaged = content;
    damaged[at] = static_cast<char>(static_cast<uint8_t>(damaged[at]) ^ 4U);
    const SalvagedFile salvaged = file.Salvaged(damaged);
    for (const StoredArray& array : salvaged.arrays) {
      const std::string bytes = damaged.substr(array.offset, array.bytes);
      EXPECT_TRUE(bytes == "01234567" || bytes == "89ab") << at << " " << bytes;
    }
    EXPECT_GE(salvaged.arrays.size(), 1U) << at;
  }
}

TEST(Salvage, DoesNotTrustOverlaps) {
  const SmallFile file;
  const std::string header = R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                             R"("b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]},)"
                             R"("c":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}   )";
  std::string content(1, static_cast<char>(header.size()));
  content += std::string(7, '\0') + header + "01234567";
  const SalvagedFile salvaged = file.Salvaged(content);
  ASSERT_EQ(salvaged.arrays.size(), 2U);
  EXPECT_EQ(salvaged.arrays[0].name, "a");
  EXPECT_EQ(salvaged.arrays[1].name, "c");
  ASSERT_EQ(salvaged.lost.size(), 1U);
  EXPECT_EQ(salvaged.lost[0].tensor, "b");
  EXPECT_NE(salvaged.lost[0].reason.find("overlap"), std::string::npos);
}

// A model's own layers, the config and the head tell names that were hit.
TEST(Repair, PutsNamesRightByTheirLayers) {
  const SmallFile file;
  const std::string name = "model.layers.1.mlp.up_proj.weight";
  const size_t at = file.content.find(name);
  size_t mended = 0;
  for (size_t i = 0; i < name.size(); ++i) {
    std::string damaged = file.content;
    damaged[at + i] = static_cast<char>(static_cast<uint8_t>(damaged[at + i]) ^ 2U);
    WriteTestFile(file.path, damaged);
    RepairRequest request;
    request.source = file.folder.path();
    request.destination = file.folder.path() + "-out";
    const Repair repair = PlanRepair(request, nullptr);
    EXPECT_EQ(repair.lost.size(), 0U) << damaged.substr(at, name.size());
    for (const Mended& row : repair.mended) {
      mended += row.object == name ? 1 : 0;
    }
    EXPECT_EQ(repair.tensors, file.arrays.size());
  }
  EXPECT_EQ(mended, name.size());
}

struct JsonCase {
  const char* text;
  const char* mended;  // null: nothing
  bool complete;
};

TEST(MendJson, KeepsEveryMemberThatParses) {
  const JsonCase cases[] = {
      {R"({"a": 1, "b": [2, 3]})", R"({"a":1,"b":[2,3]})", true},
      {R"({"a": 1, "b": [2, 3],})", R"({"a":1,"b":[2,3]})", true},
      {"\xEF\xBB\xBF{\"a\": 1}", R"({"a":1})", true},
      {"{\"a\": 1}\n\0\0", R"({"a":1})", true},
      {R"({"a": 1} trailing)", R"({"a":1})", true},
      {R"({"a": 1 "b": 2})", R"({"a":1,"b":2})", true},
      {R"({"a": 1, "b": [2, )", R"({"a":1})", false},
      {R"({"a": 1, "b": 25)", R"({"a":1})", false},
      {R"({"a": {"x": 1, "y": tru, "z": 3}, "b": 2})", R"({"a":{"x":1,"z":3},"b":2})", false},
      {R"({"a": {"x": 1, "y)", R"({"a":{"x":1}})", false},
      {R"("a": 1, "b": 2})", R"({"b":2})", false},
      {R"({"a": 1, "a": 2})", R"({"a":1})", false},
      {R"({"b": 1, "a": 2, "b": 3})", R"({"b":1,"a":2})", false},
      {"{\n \"a\": 1\x01,\n \"b\": 2\n}", R"({"b":2})", false},
      {"<html>", nullptr, false},
      {"", nullptr, false},
  };
  for (const JsonCase& test : cases) {
    const MendedJson mended = MendJson(test.text);
    EXPECT_EQ(mended.complete, test.complete) << test.text;
    if (test.mended == nullptr) {
      EXPECT_TRUE(mended.json.is_null()) << test.text;
    } else {
      EXPECT_EQ(WriteJson(mended.json), test.mended) << test.text;
    }
  }
  EXPECT_TRUE(MendJson("{}").wrong.empty());
}

}  // namespace
}  // namespace lbrx
