// The container against files that gguf-py and llama.cpp have written (tests/data/make_gguf.py).
#include "formats/gguf/gguf.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "core/base/hash.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

const std::string kFolder = std::string(LBRX_TEST_DATA) + "/gguf/";

Json Cases() {
  return ParseJson(ReadTestFile(kFolder + "cases.json"), "cases.json");
}

// As gguf-py calls it: "UINT32", "FLOAT32[]".
std::string PeersTypeName(const GgufValue& value) {
  std::string name(GgufTypeName(value.type()));
  if (name == "str") {
    name = "STRING";
  } else if (name != "bool") {
    const std::string_view kind = name[0] == 'u' ? "UINT" : name[0] == 'i' ? "INT" : "FLOAT";
    name = std::string(kind) + name.substr(1);
  }
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return name + (value.is_array() ? "[]" : "");
}

void ExpectNumber(const Json& expected, double found, const std::string& key) {
  EXPECT_EQ(expected.AsDouble(), found) << key;
}

void ExpectArray(const Json& expected, const GgufValue& value, const std::string& key) {
  ASSERT_EQ(expected.AsArray().size(), value.size()) << key;
  for (size_t i = 0; i < value.size(); ++i) {
    const Json& element = expected.AsArray()[i];
    if (value.AsStrings() != nullptr) {
      EXPECT_EQ(element.AsString(), (*value.AsStrings())[i]) << key;
    } else if (value.type() == GgufType::kBool) {
      EXPECT_EQ(element.AsBool(), value.bytes()[i] != std::byte{0}) << key;
    } else {
      ASSERT_TRUE(value.AsNumbers().has_value()) << key;
      ExpectNumber(element, (*value.AsNumbers())[i], key);
    }
  }
}

void ExpectValue(const Json& expected, const GgufValue& value, const std::string& key) {
  EXPECT_EQ(expected.AsArray()[0].AsString(), PeersTypeName(value)) << key;
  const Json& content = expected.AsArray()[1];
  if (value.is_array()) {
    ExpectArray(content, value, key);
  } else if (value.is_string()) {
    EXPECT_EQ(content.AsString(), *value.AsString()) << key;
  } else if (value.type() == GgufType::kBool) {
    EXPECT_EQ(content.AsBool(), value.AsBool()) << key;
  } else if (value.type() == GgufType::kU64) {
    EXPECT_EQ(content.AsUint64(), value.AsUint()) << key;
  } else if (content.is_integer()) {
    EXPECT_EQ(content.AsInt64(), value.AsInt()) << key;
  } else {
    ExpectNumber(content, *value.AsNumber(), key);
  }
}

std::string HashOf(const std::string& bytes) {
  Sha256 sha;
  sha.Update(std::as_bytes(std::span(bytes)));
  return sha.FinishHex();
}

void ExpectTensor(const Json& expected, const Checkpoint& checkpoint, size_t index,
                  const std::string& content) {
  const SourceTensor& tensor = *GgufFileOrder(checkpoint)[index];
  const StoredArray& array = checkpoint.arrays[tensor.planes.front()];
  const std::string& name = expected.Find("name")->AsString();
  EXPECT_EQ(name, tensor.name);
  EXPECT_EQ(expected.Find("type")->AsString(), IsBlock(tensor.encoding.scheme)
                                                   ? FindGgmlType(tensor.encoding.scheme).name
                                                   : FindGgmlType(tensor.encoding.dtype)->name);
  const Json::Array& ne = expected.Find("ne")->AsArray();
  ASSERT_EQ(ne.size(), tensor.shape.rank()) << name;
  for (size_t i = 0; i < ne.size(); ++i) {
    EXPECT_EQ(ne[i].AsUint64(), tensor.shape[ne.size() - 1 - i]) << name;
  }
  EXPECT_EQ(expected.Find("offset")->AsUint64(), array.offset) << name;
  EXPECT_EQ(EncodedBytes(tensor.encoding, tensor.shape), array.bytes) << name;
  EXPECT_EQ(expected.Find("sha256")->AsString(), HashOf(content.substr(array.offset, array.bytes)))
      << name;
}

std::vector<OutputTensor> OutputsOf(const Checkpoint& checkpoint) {
  std::vector<OutputTensor> out;
  for (const SourceTensor* tensor : GgufFileOrder(checkpoint)) {
    out.emplace_back(tensor->name, tensor->encoding, tensor->shape);
  }
  return out;
}

TEST(GgufFiles, AreReadAsTheirWritersReadThem) {
  size_t files = 0;
  const Json cases = Cases();
  for (const auto& [name, expected] : cases.AsObject()) {
    const std::string content = ReadTestFile(kFolder + name);
    const std::shared_ptr<File> file = File::OpenRead(kFolder + name);
    std::vector<Problem> problems;
    const GgufHeader header = ReadGgufHeader(*file, 0, &problems);
    EXPECT_TRUE(problems.empty()) << name << ": " << FormatMessage(problems[0].detail);
    EXPECT_EQ(expected.Find("alignment")->AsUint64(), header.alignment) << name;
    const Json::Object& keys = expected.Find("keys")->AsObject();
    ASSERT_EQ(keys.size(), header.keys.entries().size()) << name;
    for (size_t i = 0; i < keys.size(); ++i) {
      EXPECT_EQ(keys[i].first, header.keys.entries()[i].first) << name;
      ExpectValue(keys[i].second, header.keys.entries()[i].second, keys[i].first);
    }
    if (!name.starts_with("set-")) {
      const Checkpoint checkpoint = OpenCheckpoint(kFolder + name);
      EXPECT_EQ(checkpoint.format, "gguf");
      EXPECT_TRUE(*checkpoint.gguf == header.keys);
      const Json::Array& tensors = expected.Find("tensors")->AsArray();
      ASSERT_EQ(tensors.size(), checkpoint.tensors.size()) << name;
      for (size_t i = 0; i < tensors.size(); ++i) {
        ExpectTensor(tensors[i], checkpoint, i, content);
      }
    }
    ++files;
  }
  EXPECT_EQ(files, 16U);
}

TEST(GgufFiles, AreLaidOutAsTheyWere) {
  const Json cases = Cases();
  for (const auto& [name, expected] : cases.AsObject()) {
    if (name.starts_with("set-")) {
      continue;
    }
    const std::string content = ReadTestFile(kFolder + name);
    const Checkpoint checkpoint = OpenCheckpoint(kFolder + name);
    std::vector<OutputTensor> outputs = OutputsOf(checkpoint);
    const OutputLayout layout = LayOutGguf(outputs, GgufTargetOf(checkpoint));
    ASSERT_EQ(layout.files.size(), 1U);
    EXPECT_TRUE(layout.single_file);
    EXPECT_EQ(layout.files[0].size, content.size()) << name;
    EXPECT_EQ(layout.files[0].header, content.substr(0, layout.files[0].header.size())) << name;
    for (const OutputTensor& output : outputs) {
      const SourceTensor* tensor = checkpoint.Find(output.name);
      EXPECT_EQ(output.planes[0].offset, checkpoint.arrays[tensor->planes[0]].offset) << name;
    }
  }
}

// The parts of a set laid out again, with the data of its files.
std::vector<std::string> Rebuild(const Checkpoint& checkpoint, const GgufTarget& target) {
  std::vector<OutputTensor> outputs = OutputsOf(checkpoint);
  const OutputLayout layout = LayOutGguf(outputs, target);
  std::vector<std::string> files;
  for (const OutputFile& file : layout.files) {
    files.push_back(file.header + std::string(file.size - file.header.size(), '\0'));
  }
  for (const OutputTensor& output : outputs) {
    const StoredArray& array = checkpoint.arrays[checkpoint.Find(output.name)->planes[0]];
    const OutputPlane& plane = output.planes[0];
    const std::string content = ReadTestFile(checkpoint.files[array.file].path);
    files[plane.file].replace(plane.offset, plane.bytes, content, array.offset, array.bytes);
  }
  return files;
}

TEST(GgufSets, AreCutUpAsLlamasToolDoes) {
  // As llama.cpp wrote it: without the outermost dimensions of 1, which its tool drops too.
  const Checkpoint plain = OpenCheckpoint(kFolder + "llama_plain.gguf");
  GgufTarget target = GgufTargetOf(plain);
  target.prefix = "set";
  // Padded to 32 the tensors have 64, 96, 32, 32 and 128 bytes: pairs, as the tool was told.
  target.shard_size = 160;
  const std::vector<std::string> files = Rebuild(plain, target);
  ASSERT_EQ(files.size(), 3U);
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string name = FormatGgufPartName({kFolder + "set", i + 1, 3});
    const Checkpoint set = OpenCheckpoint(name);  // any part names the set
    EXPECT_TRUE(*set.gguf == *plain.gguf);
    EXPECT_EQ(set.files.size(), 3U);
    ASSERT_EQ(set.tensors.size(), plain.tensors.size());
    EXPECT_EQ(files[i], ReadTestFile(name));
  }
  EXPECT_EQ(Rebuild(OpenCheckpoint(kFolder + "set-00002-of-00003.gguf"), GgufTargetOf(plain)),
            std::vector{ReadTestFile(kFolder + "llama_plain.gguf")});
}

TEST(GgufSets, TensorsLargerThanAPartHaveTheirOwn) {
  const Checkpoint plain = OpenCheckpoint(kFolder + "plain.gguf");
  GgufTarget target = GgufTargetOf(plain);
  target.shard_size = 1;
  std::vector<OutputTensor> outputs = OutputsOf(plain);
  EXPECT_EQ(LayOutGguf(outputs, target).files.size(), 5U);
  EXPECT_EQ(LayOutGguf(outputs, target).files[4].name, "model-00005-of-00005.gguf");
  target.shard_size = 1000;
  EXPECT_TRUE(LayOutGguf(outputs, target).single_file);
}

TEST(GgufFolders, AreTheOneModelInThem) {
  TempDir folder;
  const auto copy = [&](const std::string& name) {
    WriteTestFile(folder / name, ReadTestFile(kFolder + name));
  };
  for (uint64_t part = 1; part <= 3; ++part) {
    copy(FormatGgufPartName({"set", part, 3}));
  }
  const Checkpoint set = OpenCheckpoint(folder.path());
  EXPECT_EQ(set.tensors.size(), 5U);
  EXPECT_EQ(set.path, folder.path());
  copy("plain.gguf");
  try {
    OpenCheckpoint(folder.path());
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("plain.gguf, set-00001-of-00003.gguf"),
              std::string::npos)
        << error.what();
  }
}

TEST(GgufPartNames, AreThoseOfLlamasTool) {
  const std::optional<GgufPartName> name = ParseGgufPartName("/a/m-00002-of-00010.gguf");
  ASSERT_TRUE(name.has_value());
  EXPECT_EQ(name->prefix, "/a/m");
  EXPECT_EQ(name->number, 2U);
  EXPECT_EQ(name->count, 10U);
  EXPECT_EQ(FormatGgufPartName(*name), "/a/m-00002-of-00010.gguf");
  for (const char* other :
       {"m.gguf", "m-00000-of-00002.gguf", "m-00003-of-00002.gguf", "m-1-of-2.gguf",
        "m-00001-of-00002.bin", "00001-of-00002.gguf", "m-0000x-of-00002.gguf"}) {
    EXPECT_FALSE(ParseGgufPartName(other).has_value()) << other;
  }
}

TEST(GgufLayout, RefusesWhatTheFormatCannotHold) {
  GgufKeys keys;
  GgufTarget target;
  target.keys = &keys;
  const auto refused = [&](const std::string& name, const Encoding& encoding, const Shape& shape) {
    std::vector<OutputTensor> outputs;
    outputs.emplace_back(name, encoding, shape);
    try {
      LayOutGguf(outputs, target);
    } catch (const Error& error) {
      return error.code() == ErrorCode::kInvalid;
    }
    return false;
  };
  const Encoding f32 = Plain(DType::kF32);
  EXPECT_FALSE(refused("a", f32, {2}));
  EXPECT_TRUE(refused("a", Plain(DType::kF8E4M3), {2}));
  EXPECT_TRUE(refused("a", Affine(4, 32, DType::kF16), {2, 32}));
  EXPECT_TRUE(refused(std::string(64, 'a'), f32, {2}));
  EXPECT_TRUE(refused("", f32, {2}));
  EXPECT_TRUE(refused("a", f32, {1, 2, 3, 4, 5}));
  EXPECT_TRUE(refused("a", f32, {2, 0}));
  keys.Set(kGgufAlignmentKey, GgufValue::U32(48));
  EXPECT_TRUE(refused("a", f32, {2}));
}

}  // namespace
}  // namespace lbrx
