#include "formats/writer.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "formats/checkpoint.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

OutputTensor Make(const std::string& name, const Encoding& encoding, const Shape& shape) {
  return {name, encoding, shape};
}

// Writes a layout with zeros for data.
void WriteLayout(const OutputLayout& layout, const std::string& path) {
  for (const OutputFile& file : layout.files) {
    WriteTestFile(file.name.empty() ? path : path + "/" + file.name,
                  file.header + std::string(file.size - file.header.size(), '\0'));
  }
  for (const OutputText& text : layout.texts) {
    WriteTestFile(path + "/" + text.name, text.content);
  }
}

std::vector<OutputTensor> SomeTensors() {
  return {Make("a.weight", Plain(DType::kF32), {10}),             // 40 bytes
          Make("b.weight", Plain(DType::kBF16), {10, 3}),         // 60
          Make("c.weight", Affine(4, 32, DType::kF16), {2, 64}),  // 64 + 8 + 8 = 80
          Make("d.weight", Plain(DType::kU8), {200}),             // 200
          Make("e.weight", Plain(DType::kU8), {1})};
}

TEST(LayOut, FillsShardsGreedilyAndKeepsPlanesTogether) {
  std::vector<OutputTensor> tensors = SomeTensors();
  const OutputLayout layout = LayOut(TargetKind::kHuggingFace, tensors, 100, {});
  std::vector<uint32_t> files;
  for (const OutputTensor& tensor : tensors) {
    for (const OutputPlane& plane : tensor.planes) {
      files.push_back(plane.file);
    }
  }
  EXPECT_EQ(files, (std::vector<uint32_t>{0, 0, 1, 1, 1, 2, 3}));
  ASSERT_EQ(layout.files.size(), 4U);
  EXPECT_EQ(layout.files[0].name, "model-00001-of-00004.safetensors");
  EXPECT_EQ(layout.files[3].name, "model-00004-of-00004.safetensors");
  EXPECT_FALSE(layout.single_file);
  ASSERT_EQ(layout.texts.size(), 1U);
  EXPECT_EQ(layout.texts[0].content, R"({
  "metadata": {
    "total_parameters": 369,
    "total_size": 381
  },
  "weight_map": {
    "a.weight": "model-00001-of-00004.safetensors",
    "b.weight": "model-00001-of-00004.safetensors",
    "c.biases": "model-00002-of-00004.safetensors",
    "c.scales": "model-00002-of-00004.safetensors",
    "c.weight": "model-00002-of-00004.safetensors",
    "d.weight": "model-00003-of-00004.safetensors",
    "e.weight": "model-00004-of-00004.safetensors"
  }
}
)");
}

TEST(LayOut, WhatItLaysOutOpensAgain) {
  for (const TargetKind kind :
       {TargetKind::kSafetensors, TargetKind::kHuggingFace, TargetKind::kMlx}) {
    for (uint64_t shard_size : {uint64_t{1}, uint64_t{100}, uint64_t{1} << 40}) {
      TempDir folder;
      std::vector<OutputTensor> tensors = SomeTensors();
      const OutputLayout layout = LayOut(kind, tensors, shard_size, {{"k", "v"}});
      const bool bare = kind == TargetKind::kSafetensors;
      const std::string path = bare ? folder / "x.safetensors" : folder.path();
      WriteLayout(layout, path);
      if (!bare) {
        WriteTestFile(folder / "config.json", R"({"quantization":{"group_size":32,"bits":4}})");
      }
      const Checkpoint checkpoint = OpenCheckpoint(path);
      EXPECT_TRUE(checkpoint.problems.empty());
      EXPECT_EQ(checkpoint.metadata.at("k"), "v");
      EXPECT_EQ(checkpoint.metadata.count("format"), bare ? 0U : 1U);
      for (const OutputTensor& tensor : tensors) {
        const SourceTensor* found = checkpoint.Find(tensor.name);
        ASSERT_NE(found, nullptr);
        const StoredArray& array = checkpoint.arrays[found->planes[0]];
        EXPECT_EQ(array.offset, tensor.planes[0].offset);
        EXPECT_EQ(array.file, tensor.planes[0].file);
        EXPECT_EQ(array.bytes, tensor.planes[0].bytes);
        if (!bare) {
          EXPECT_EQ(found->encoding, tensor.encoding);
        }
      }
    }
  }
}

TEST(LayOut, OneShardAndNoTensors) {
  std::vector<OutputTensor> tensors = SomeTensors();
  OutputLayout layout = LayOut(TargetKind::kHuggingFace, tensors, 1000, {});
  ASSERT_EQ(layout.files.size(), 1U);
  EXPECT_EQ(layout.files[0].name, "model.safetensors");
  EXPECT_TRUE(layout.texts.empty());
  EXPECT_NE(layout.files[0].header.find(R"({"__metadata__":{"format":"pt"},)"), std::string::npos);

  std::vector<OutputTensor> none;
  layout = LayOut(TargetKind::kMlx, none, 1000, {});
  ASSERT_EQ(layout.files.size(), 1U);
  EXPECT_EQ(layout.files[0].size, layout.files[0].header.size());
  ASSERT_EQ(layout.texts.size(), 1U);
  EXPECT_NE(layout.texts[0].content.find("\"weight_map\": {}"), std::string::npos);

  layout = LayOut(TargetKind::kSafetensors, tensors, 1, {});
  ASSERT_EQ(layout.files.size(), 1U);
  EXPECT_EQ(layout.files[0].name, "");
  EXPECT_TRUE(layout.single_file);
}

TEST(LayOut, RefusesTwoTensorsOfTheSameName) {
  std::vector<OutputTensor> tensors = SomeTensors();
  tensors.push_back(Make("c.scales", Plain(DType::kF32), {1}));
  EXPECT_THROW(LayOut(TargetKind::kHuggingFace, tensors, 50, {}), Error);
}

TEST(WriteConfig, StylesOfTheTargets) {
  const Json config =
      ParseJson(R"({"b":{"z":1,"a":1e-05},"a":[1,"é"],"c":[],"d":{}})", "config.json");
  EXPECT_EQ(WriteConfig(TargetKind::kMlx, config),
            "{\n    \"a\": [\n        1,\n        \"\\u00e9\"\n    ],\n    \"b\": {\n"
            "        \"z\": 1,\n        \"a\": 1e-05\n    },\n    \"c\": [],\n    \"d\": {}\n}");
  EXPECT_EQ(WriteConfig(TargetKind::kHuggingFace, config),
            "{\n  \"a\": [\n    1,\n    \"\\u00e9\"\n  ],\n  \"b\": {\n    \"a\": 1e-05,\n"
            "    \"z\": 1\n  },\n  \"c\": [],\n  \"d\": {}\n}\n");
}

TEST(WriteConfig, IsThatOfTransformers) {
  const std::string path = std::string(LBRX_TEST_DATA) + "/arch/llama/config.json";
  const std::string text = ReadTestFile(path);
  EXPECT_EQ(WriteConfig(TargetKind::kHuggingFace, ParseJson(text, path)), text);
}

}  // namespace
}  // namespace lbrx
