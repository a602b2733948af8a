// Grouping against folders written by mlx-lm (tests/data/make_mlx.py), and what is refused.
#include "formats/mlx/mlx.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "formats/safetensors/safetensors.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

const std::string kFolder = std::string(LBRX_TEST_DATA) + "/mlx/";
const char* const kCases[] = {"bf16",  "affine", "mixed", "without_group",
                              "mxfp4", "mxfp8",  "nvfp4"};

Json ReadJson(const std::string& path) {
  return ParseJson(ReadTestFile(path), path);
}

std::vector<OutputTensor> AsOutput(const Checkpoint& checkpoint) {
  std::vector<OutputTensor> out;
  for (const SourceTensor& tensor : checkpoint.tensors) {
    out.emplace_back(tensor.name, tensor.encoding, tensor.shape);
  }
  return out;
}

TEST(MlxFolder, GroupsAsMlxDoes) {
  for (const std::string name : kCases) {
    const Checkpoint checkpoint = OpenCheckpoint(kFolder + name);
    EXPECT_EQ(checkpoint.format, "mlx") << name;
    EXPECT_TRUE(checkpoint.problems.empty()) << name;
    const Json expected = ReadJson(kFolder + name + "/expected.json");
    ASSERT_EQ(checkpoint.tensors.size(), expected.AsObject().size()) << name;
    for (const auto& [tensor_name, row] : expected.AsObject()) {
      const SourceTensor* tensor = checkpoint.Find(tensor_name);
      ASSERT_NE(tensor, nullptr) << name << " " << tensor_name;
      const Json::Array& parts = row.AsArray();
      EXPECT_EQ(SchemeName(tensor->encoding.scheme), parts[0].AsString()) << tensor_name;
      EXPECT_EQ(tensor->encoding.bits, parts[1].AsUint64()) << tensor_name;
      EXPECT_EQ(tensor->encoding.group, parts[2].AsUint64()) << tensor_name;
      EXPECT_EQ(Info(tensor->encoding.dtype).long_name, parts[3].AsString()) << tensor_name;
      Shape shape;
      for (const Json& dim : parts[4].AsArray()) {
        shape.push_back(dim.AsUint64());
      }
      EXPECT_EQ(tensor->shape, shape) << tensor_name;
      // Planes in the order and with the shapes of the block table.
      const std::vector<Plane> planes = PlanesOf(tensor->encoding, tensor->shape);
      ASSERT_EQ(tensor->planes.size(), planes.size());
      for (size_t i = 0; i < planes.size(); ++i) {
        const StoredArray& array = checkpoint.arrays[tensor->planes[i]];
        EXPECT_EQ(array.name, PlaneName(tensor_name, planes[i].suffix));
        EXPECT_EQ(array.dtype, planes[i].dtype);
        EXPECT_EQ(array.shape, planes[i].shape);
        EXPECT_EQ(array.bytes, PlaneBytes(planes[i]));
      }
    }
  }
}

TEST(MlxFolder, IndexAndConfigAreWrittenAsMlxWritesThem) {
  for (const std::string name : kCases) {
    const Checkpoint checkpoint = OpenCheckpoint(kFolder + name);
    std::vector<OutputTensor> tensors = AsOutput(checkpoint);
    const OutputLayout layout = LayOut(TargetKind::kMlx, tensors, uint64_t{5} << 30, {});
    ASSERT_EQ(layout.files.size(), 1U);
    EXPECT_EQ(layout.files[0].name, "model.safetensors");
    ASSERT_EQ(layout.texts.size(), 1U);
    EXPECT_EQ(layout.texts[0].name, "model.safetensors.index.json");
    EXPECT_EQ(layout.texts[0].content,
              ReadTestFile(kFolder + name + "/model.safetensors.index.json"))
        << name;
    EXPECT_EQ(WriteConfig(TargetKind::kMlx, checkpoint.config),
              ReadTestFile(kFolder + name + "/config.json"))
        << name;
  }
}

TEST(MlxFolder, QuantizationBlock) {
  const Checkpoint checkpoint = OpenCheckpoint(kFolder + "mixed");
  const std::vector<OutputTensor> tensors = AsOutput(checkpoint);
  const Json block = MlxQuantizationBlock(tensors, Affine(4, 64, DType::kBF16));
  // As in the folder, but always with mode, and in the order of the tensors.
  EXPECT_EQ(WriteJson(block),
            R"({"group_size":64,"bits":4,"mode":"affine",)"
            R"("model.layers.0.mlp.down_proj":{"group_size":32,"bits":6,"mode":"affine"},)"
            R"("model.layers.0.self_attn.o_proj":{"group_size":32,"bits":4,"mode":"mxfp4"},)"
            R"("model.layers.0.self_attn.v_proj":{"group_size":64,"bits":8,"mode":"affine"}})");
  // Read again it means the same.
  Checkpoint again = checkpoint;
  again.config.Set("quantization", block);
  GroupMlxTensors(again, again.config, false);
  ASSERT_EQ(again.tensors.size(), checkpoint.tensors.size());
  for (size_t i = 0; i < again.tensors.size(); ++i) {
    EXPECT_EQ(again.tensors[i].name, checkpoint.tensors[i].name);
    EXPECT_EQ(again.tensors[i].encoding, checkpoint.tensors[i].encoding);
  }
}

// Arrays of one module "m" and whatever else a test adds.
class MlxGrouping : public testing::Test {
 protected:
  MlxGrouping() {
    checkpoint_.folder = "folder";
    checkpoint_.files.push_back({"folder/model.safetensors", {}});
    Config(R"({"group_size":64,"bits":4})");
  }

  void Config(const std::string& quantization) {
    checkpoint_.config = ParseJson("{\"quantization\":" + quantization + "}", "config.json");
  }

  void Add(const std::string& name, DType dtype, const Shape& shape) {
    checkpoint_.arrays.push_back({name, dtype, shape, 0, 4096, 0});
  }

  void AddModule(const std::string& name, const Shape& weight, const Shape& scales,
                 DType dtype = DType::kBF16) {
    Add(name + ".weight", DType::kU32, weight);
    Add(name + ".scales", dtype, scales);
    if (dtype != DType::kU8) {
      Add(name + ".biases", dtype, scales);
    }
  }

  const SourceTensor& Grouped(const std::string& name) {
    GroupMlxTensors(checkpoint_, checkpoint_.config, false);
    const SourceTensor* tensor = checkpoint_.Find(name);
    EXPECT_NE(tensor, nullptr) << name;
    return *tensor;
  }

  std::string Message() {
    try {
      GroupMlxTensors(checkpoint_, checkpoint_.config, false);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalid);
      return error.what();
    }
    return "accepted";
  }

  void ExpectRefused(std::initializer_list<const char*> words) {
    const std::string message = Message();
    for (const char* word : words) {
      EXPECT_NE(message.find(word), std::string::npos) << word << " in: " << message;
    }
    // Collected, it is a problem, and the arrays are plain tensors.
    checkpoint_.problems.clear();
    GroupMlxTensors(checkpoint_, checkpoint_.config, true);
    EXPECT_FALSE(checkpoint_.problems.empty());
    EXPECT_EQ(checkpoint_.tensors.size(), checkpoint_.arrays.size());
  }

  Checkpoint checkpoint_;
};

TEST_F(MlxGrouping, DefaultsOfMissingParameters) {
  AddModule("m", {2, 8}, {2, 1});
  EXPECT_EQ(Grouped("m.weight").encoding, Affine(4, 64, DType::kBF16));
  EXPECT_EQ(Grouped("m.weight").shape, (Shape{2, 64}));
  Config(R"({"group_size":32,"bits":8,"m":{}})");
  EXPECT_EQ(Grouped("m.weight").encoding, Affine(4, 64, DType::kBF16));
  Config(R"({"group_size":32,"bits":8,"m":{"group_size":null,"bits":null,"mode":null}})");
  EXPECT_EQ(Grouped("m.weight").encoding, Affine(4, 64, DType::kBF16));
  Config(R"({"group_size":64,"bits":4,"mode":"affine","m":true})");
  EXPECT_EQ(Grouped("m.weight").encoding, Affine(4, 64, DType::kBF16));
  Config(R"({"mode":"affine"})");
  EXPECT_EQ(Grouped("m.weight").encoding, Affine(4, 64, DType::kBF16));
}

TEST_F(MlxGrouping, ModuleInFpSchemeNeedsOnlyItsMode) {
  AddModule("m", {2, 8}, {2, 2}, DType::kU8);
  Config(R"({"group_size":64,"bits":4,"m":{"mode":"mxfp4"}})");
  EXPECT_EQ(Grouped("m.weight").encoding, (Encoding{Scheme::kMxfp4, 4, 32, DType::kBF16}));
  // Without an entry the arrays tell which of the schemes with 8-bit scales it is.
  Config(R"({"group_size":64,"bits":4})");
  EXPECT_EQ(Grouped("m.weight").encoding, (Encoding{Scheme::kMxfp4, 4, 32, DType::kBF16}));
  AddModule("n", {2, 8}, {2, 4}, DType::kU8);
  EXPECT_EQ(Grouped("n.weight").encoding, (Encoding{Scheme::kNvfp4, 4, 16, DType::kBF16}));
  AddModule("o", {2, 8}, {2, 1}, DType::kU8);
  EXPECT_EQ(Grouped("o.weight").encoding, (Encoding{Scheme::kMxfp8, 8, 32, DType::kBF16}));
}

TEST_F(MlxGrouping, FalseMeansNotQuantized) {
  AddModule("m", {2, 8}, {2, 1});
  Config(R"({"group_size":64,"bits":4,"m":false})");
  EXPECT_EQ(Grouped("m.weight").encoding, Plain(DType::kU32));
  EXPECT_EQ(checkpoint_.tensors.size(), 3U);
}

TEST_F(MlxGrouping, StackedExpertsAndOtherArrays) {
  AddModule("experts.up", {4, 3, 24}, {4, 3, 1}, DType::kF32);
  Add("experts.up.bias", DType::kF32, {3});
  Add("layer.scales", DType::kF32, {3});  // not of a module: it has no weight
  Config(R"({"group_size":128,"bits":6,"quantize_activations":true,"note":"x"})");
  EXPECT_EQ(Grouped("experts.up.weight").shape, (Shape{4, 3, 128}));
  EXPECT_EQ(checkpoint_.tensors.size(), 3U);
}

TEST_F(MlxGrouping, RefusesShapesThatDoNotGoTogether) {
  AddModule("m", {2, 9}, {2, 1});
  ExpectRefused({"folder/model.safetensors", "m.weight", "affine 4-bit, group 64",
                 "expected rows of 8 words", "[2, 9]", "byte 4096"});
}

TEST_F(MlxGrouping, RefusesOtherLeadingDimensions) {
  AddModule("m", {2, 8}, {3, 1});
  ExpectRefused({"m.scales", "[2, 8]", "[3, 1]"});
}

TEST_F(MlxGrouping, RefusesOtherRank) {
  AddModule("m", {8}, {1});
  ExpectRefused({"m.scales", "[8]", "[1]"});
}

TEST_F(MlxGrouping, RefusesEmptyRows) {
  AddModule("m", {2, 0}, {2, 0});
  ExpectRefused({"m.weight", "[2, 0]"});
}

TEST_F(MlxGrouping, RefusesSizesThatOverflow) {
  AddModule("m", {1, 8}, {1, uint64_t{1} << 60});
  ExpectRefused({"m.weight", "fits 64 bits"});
}

TEST_F(MlxGrouping, RefusesOtherBiases) {
  AddModule("m", {2, 8}, {2, 1});
  checkpoint_.arrays.back().dtype = DType::kF32;
  ExpectRefused({"m.biases", "BF16 [2, 1]", "F32 [2, 1]"});
}

TEST_F(MlxGrouping, RefusesMissingBiases) {
  AddModule("m", {2, 8}, {2, 1});
  checkpoint_.arrays.pop_back();
  ExpectRefused({"m.scales", "without biases", "m.biases"});
}

TEST_F(MlxGrouping, RefusesMissingScalesOfAListedModule) {
  Add("m.weight", DType::kBF16, {2, 64});
  Config(R"({"group_size":64,"bits":4,"m":{"bits":8},"absent":{"bits":8}})");
  ExpectRefused({"m.weight", "lists the module as quantized", "m.scales"});
}

TEST_F(MlxGrouping, RefusesWrongDtypes) {
  AddModule("m", {2, 8}, {2, 1});
  checkpoint_.arrays[0].dtype = DType::kI32;
  ExpectRefused({"m.weight", "expected U32, found I32"});
  checkpoint_.arrays[0].dtype = DType::kU32;
  checkpoint_.arrays[1].dtype = DType::kI16;
  ExpectRefused({"m.scales", "F32, F16 or BF16", "I16"});
  Config(R"({"group_size":32,"bits":4,"mode":"mxfp4"})");
  ExpectRefused({"m.scales", "expected U8, found I16"});
}

TEST_F(MlxGrouping, RefusesGlobalScales) {
  AddModule("m", {2, 8}, {2, 4}, DType::kU8);
  Add("m.global_scale", DType::kF32, {2});
  Config(R"({"group_size":16,"bits":4,"mode":"nvfp4"})");
  ExpectRefused({"m.global_scale", "scale for the whole tensor"});
}

TEST_F(MlxGrouping, RefusesQuantizedArraysWithoutABlock) {
  AddModule("m", {2, 8}, {2, 1});
  checkpoint_.config = Json::MakeObject();
  EXPECT_NE(MlxReason(checkpoint_.config, checkpoint_).find("\"m\""), std::string::npos);
  ExpectRefused({"m.scales", "config.json does not say how"});
}

TEST_F(MlxGrouping, RefusesParametersThatNoSchemeHas) {
  AddModule("m", {2, 8}, {2, 1});
  for (const char* block :
       {R"({"group_size":48,"bits":4})", R"({"group_size":64,"bits":7})",
        R"({"group_size":64,"bits":0})", R"({"group_size":-64,"bits":4})",
        R"({"group_size":64.0,"bits":4})", R"({"group_size":"64","bits":4})",
        R"({"group_size":64,"bits":18446744073709551615})", R"({"group_size":64,"bits":260})",
        R"({"group_size":16,"bits":4,"mode":"mxfp4"})", R"({"mode":"plain"})", R"({"mode":"awq"})",
        R"({"mode":4})", R"({"group_size":64,"bits":4,"m":{"bits":9}})"}) {
    Config(block);
    ExpectRefused({"config.json: quantization", "expected"});
  }
}

TEST(MlxReason, OnlyWhatIsMlx) {
  Checkpoint checkpoint;
  EXPECT_EQ(MlxReason(Json(), checkpoint), "");
  EXPECT_EQ(MlxReason(ParseJson(R"({"quantization":null})", "f"), checkpoint), "");
  EXPECT_NE(MlxReason(ParseJson(R"({"quantization":{}})", "f"), checkpoint), "");
  EXPECT_EQ(MlxReason(ParseJson(R"({"quantization_config":{"quant_method":"gptq","bits":4}})", "f"),
                      checkpoint),
            "");
  checkpoint.metadata["format"] = "pt";
  EXPECT_EQ(MlxReason(Json(), checkpoint), "");
  checkpoint.metadata["format"] = "mlx";
  EXPECT_NE(MlxReason(Json(), checkpoint), "");
  // GPTQ and AWQ have scales too, but their weights have another name.
  checkpoint.metadata.clear();
  checkpoint.arrays.push_back({"m.qweight", DType::kI32, {2, 8}, 0, 0, 64});
  checkpoint.arrays.push_back({"m.scales", DType::kF16, {2, 1}, 0, 64, 4});
  EXPECT_EQ(MlxReason(Json(), checkpoint), "");
}

}  // namespace
}  // namespace lbrx
