// Arrays of other libraries' quantization: which are grouped, and what is wrong with hostile ones.
// Values are compared in convert/prequantized_test.cc.

#include "formats/huggingface/quantized.h"

#include "core/base/format.h"
#include "formats/huggingface/test_folder.h"

namespace lbrx {
namespace {

struct Array {
  std::string name;
  std::string dtype;
  Shape shape;
  std::string content = {};  // zeros where it is empty
};

using Arrays = std::vector<Array>;

class QuantizedTest : public FolderFixture {
 protected:
  // A folder with these arrays (bytes an element of the dtypes used here) and that block.
  void Model(const std::string& block, const Arrays& arrays) {
    Write("config.json",
          R"({"model_type":"x","dtype":"bfloat16","quantization_config":)" + block + "}");
    std::string header = "{";
    std::string data;
    for (const Array& array : arrays) {
      const uint64_t bytes = PlaneBytes({"", DTypeByName(array.dtype).value(), array.shape});
      header += (data.empty() && header == "{" ? "" : ",") +
                RawEntry(array.name, array.dtype, array.shape.ToString(), data.size(),
                         data.size() + bytes);
      data += array.content.empty() ? std::string(bytes, '\0') : array.content;
    }
    Write("model.safetensors", RawSafetensors(header + "}", data));
  }

  std::string Label(const std::string& name) {
    const Checkpoint checkpoint = Open();
    const SourceTensor* tensor = checkpoint.Find(name);
    return tensor == nullptr ? "absent"
                             : SchemeLabel(tensor->encoding) + " " + tensor->shape.ToString();
  }

  static Arrays Without(Arrays arrays, const std::string& name) {
    std::erase_if(arrays, [&](const Array& array) { return array.name == name; });
    return arrays;
  }

  static Arrays With(Arrays arrays, const Array& changed) {
    for (Array& array : arrays) {
      array = array.name == changed.name ? changed : array;
    }
    return arrays;
  }
};

const std::string kGptq = R"({"quant_method":"gptq","bits":4,"group_size":32})";
const Arrays kGptqArrays = {{"m.qweight", "I32", {8, 16}},
                            {"m.scales", "F16", {2, 16}},
                            {"m.qzeros", "I32", {2, 2}},
                            {"m.g_idx", "I32", {64}}};

TEST_F(QuantizedTest, Gptq) {
  Model(kGptq, kGptqArrays);
  EXPECT_EQ(Label("m.weight"), "gptq 4bit/32 [16, 64]");
  for (const Array& array : kGptqArrays) {
    if (array.name == "m.g_idx") {
      continue;  // may be missing
    }
    Model(kGptq, Without(kGptqArrays, array.name));
    ExpectProblem({"missing"});
  }
  Model(kGptq, With(kGptqArrays, {"m.scales", "F16", {3, 16}}));
  ExpectProblem({"m.scales", "[2, 16]", "[3, 16]"});
  Model(kGptq, With(kGptqArrays, {"m.scales", "I32", {2, 16}}));
  ExpectProblem({"m.scales", "F16", "I32"});
  Model(kGptq, With(kGptqArrays, {"m.qzeros", "I32", {2, 3}}));
  ExpectProblem({"m.qzeros", "[2, 2]"});
  Model(kGptq, With(kGptqArrays, {"m.g_idx", "I32", {63}}));
  ExpectProblem({"m.g_idx", "[64]"});
  Model(kGptq, With(kGptqArrays, {"m.qweight", "I32", {9, 16}}));
  ExpectProblem({"m.qweight", "multiple of 4"});
  Model(kGptq, With(kGptqArrays, {"m.qweight", "I32", {8, 0}}));
  ExpectProblem({"m.qweight", "impossible shape"});
  Model(R"({"quant_method":"gptq","bits":5,"group_size":32})", kGptqArrays);
  ExpectProblem({"bits", "2, 3, 4 or 8"});
  Model(R"({"quant_method":"gptq","bits":4,"group_size":0})", kGptqArrays);
  ExpectProblem({"group_size"});
  Model(R"({"quant_method":"gptq","bits":4,"checkpoint_format":"marlin"})", kGptqArrays);
  ExpectProblem({"marlin", "gptq_v2"});
}

TEST_F(QuantizedTest, ContradictionsOfTheList) {
  Model(R"({"quant_method":"gptq","bits":4,"group_size":32,"modules_to_not_convert":["m"]})",
        kGptqArrays);
  ExpectProblem({"lists the module as not quantized"});
  Arrays twice = kGptqArrays;
  twice.push_back({"m.weight", "F16", {16, 64}});
  Model(kGptq, twice);
  ExpectProblem({"quantized and unquantized"});
}

TEST_F(QuantizedTest, MethodsThatCannotBeRead) {
  for (const char* method : {"hqq", "aqlm", "\\u001b[31m"}) {
    Model(std::string("{\"quant_method\":\"") + method + "\"}", {{"a", "F16", {2, 2}}});
    ExpectProblem({"a method that this version cannot read", "gptq"});
  }
  Model("{}", kGptqArrays);
  ExpectProblem({"does not say how", "m.qweight"});
  Model(kGptq, {{"a", "F16", {2, 2}}});
  ExpectWarning({"no tensor is quantized"});
}

TEST_F(QuantizedTest, Awq) {
  const std::string block = R"({"quant_method":"awq","bits":4,"group_size":32,"version":"GEMM"})";
  const Arrays arrays = {
      {"m.qweight", "I32", {64, 2}}, {"m.scales", "F16", {2, 16}}, {"m.qzeros", "I32", {2, 2}}};
  Model(block, arrays);
  EXPECT_EQ(Label("m.weight"), "awq 4bit/32 [16, 64]");
  Model(block, With(arrays, {"m.qzeros", "I32", {1, 2}}));
  ExpectProblem({"m.qzeros", "[2, 2]"});
  Model(R"({"quant_method":"awq","bits":4,"version":"gemv"})", arrays);
  ExpectProblem({"gemv"});
}

TEST_F(QuantizedTest, Fp8) {
  const std::string block = R"({"quant_method":"fp8","weight_block_size":[16,24]})";
  const Arrays arrays = {{"m.weight", "F8_E4M3", {40, 64}},
                         {"m.weight_scale_inv", "F32", {3, 3}},
                         {"m.activation_scale", "F32", {1}}};
  Model(block, arrays);
  EXPECT_EQ(Label("m.weight"), "fp8 16x24 [40, 64]");
  EXPECT_EQ(Label("m.activation_scale"), "absent");
  Model(block, With(arrays, {"m.weight_scale_inv", "F32", {3, 2}}));
  ExpectProblem({"m.weight_scale_inv", "[3, 3]", "[3, 2]"});
  Model(block, Without(arrays, "m.weight_scale_inv"));
  ExpectProblem({"m.weight", "without its scales"});
  Model(block, Without(arrays, "m.weight"));
  ExpectProblem({"m.weight_scale_inv", "missing"});
  Model(R"({"quant_method":"fp8","weight_block_size":[0,24]})", arrays);
  ExpectProblem({"weight_block_size"});
  Model(R"({"quant_method":"fp8"})", arrays);
  ExpectProblem({"m.weight_scale_inv", "[1, 1]"});
}

TEST_F(QuantizedTest, Mxfp4) {
  const std::string block = R"({"quant_method":"mxfp4"})";
  const Arrays arrays = {{"e.up_blocks", "U8", {2, 6, 2, 16}}, {"e.up_scales", "U8", {2, 6, 2}}};
  Model(block, arrays);
  EXPECT_EQ(Label("e.up"), "mxfp4 [2, 64, 6]");
  Model(block, With(arrays, {"e.up_scales", "U8", {2, 6, 3}}));
  ExpectProblem({"e.up_scales", "[2, 6, 2]"});
  Model(block, With(arrays, {"e.up_blocks", "U8", {2, 6, 2, 8}}));
  ExpectProblem({"e.up_blocks", "16]"});
  Model(block, Without(arrays, "e.up_blocks"));
  ExpectProblem({"e.up_scales", "missing"});
}

TEST_F(QuantizedTest, PackedIntegers) {
  const std::string block = R"({"quant_method":"compressed-tensors","config_groups":{"group_0":
      {"weights":{"num_bits":3,"type":"int","strategy":"group","group_size":32}}}})";
  std::string dims(16, '\0');
  dims[0] = 10;
  dims[8] = 64;
  const Arrays arrays = {{"m.weight_packed", "I32", {10, 6}},
                         {"m.weight_scale", "BF16", {10, 2}},
                         {"m.weight_shape", "I64", {2}, dims}};
  Model(block, arrays);
  EXPECT_EQ(Label("m.weight"), "int3/32 [10, 64]");
  EXPECT_EQ(Label("m.weight_shape"), "absent");
  dims[0] = 11;
  Model(block, With(arrays, {"m.weight_shape", "I64", {2}, dims}));
  ExpectProblem({"m.weight_packed", "[11, 6]"});
  Model(block, With(arrays, {"m.weight_shape", "I64", {2}, std::string(16, '\xFF')}));
  ExpectProblem({"m.weight_packed"});
  Model(block, With(arrays, {"m.weight_shape", "I64", {3}}));
  ExpectProblem({"m.weight_shape", "[2]"});
  Model(block, Without(arrays, "m.weight_scale"));
  ExpectProblem({"m.weight_scale", "missing"});
  Model(block, Without(arrays, "m.weight_packed"));
  ExpectProblem({"missing"});
  Model(R"({"quant_method":"compressed-tensors"})", arrays);
  ExpectProblem({"config_groups"});
  Arrays ordered = arrays;
  ordered.push_back({"m.weight_g_idx", "I32", {64}});
  Model(block, ordered);
  ExpectProblem({"actorder"});
}

TEST_F(QuantizedTest, FourBitsOfBitsAndBytes) {
  const std::string block = R"({"quant_method":"bitsandbytes","load_in_4bit":true})";
  const std::string key = "m.weight.quant_state.bitsandbytes__nf4";
  const auto state = [&](const std::string& json) { return Array{key, "U8", {json.size()}, json}; };
  const Arrays arrays = {
      {"m.weight", "U8", {288, 1}},
      {"m.weight.absmax", "F32", {9}},
      {"m.weight.quant_map", "F32", {16}},
      state(R"({"quant_type":"nf4","blocksize":64,"dtype":"bfloat16","shape":[6,96]})")};
  Model(block, arrays);
  EXPECT_EQ(Label("m.weight"), "nf4/64 [6, 96]");
  EXPECT_EQ(Label("m.weight.quant_map"), "absent");
  Model(block, With(arrays, {"m.weight", "BF16", {144, 1}}));  // quant_storage
  EXPECT_EQ(Label("m.weight"), "nf4/64 [6, 96]");
  Model(block, With(arrays, {"m.weight.absmax", "F32", {8}}));
  ExpectProblem({"m.weight.absmax", "[9]", "[8]"});
  Model(block, Without(arrays, "m.weight.absmax"));
  ExpectProblem({"missing"});
  Model(block, Without(arrays, key));
  ExpectProblem({"missing"});
  for (const char* json :
       {R"({"blocksize":48,"dtype":"bfloat16","shape":[6,96]})",
        R"({"blocksize":64,"dtype":"int8","shape":[6,96]})",
        R"({"blocksize":64,"dtype":"bfloat16","shape":[-6,96]})",
        R"({"blocksize":64,"dtype":"bfloat16","shape":[4294967296,4294967296,4]})",
        R"({"blocksize":64,"dtype":"bfloat16","shape":[6,97]})",
        R"({"blocksize":64,"dtype":"bfloat16"})", "[", "1"}) {
    Model(block, With(arrays, state(json)));
    ExpectProblem({"m.weight"});
  }
}

TEST_F(QuantizedTest, EightBitsOfBitsAndBytes) {
  const std::string block = R"({"quant_method":"bitsandbytes","load_in_8bit":true})";
  const Arrays arrays = {
      {"m.weight", "I8", {6, 40}}, {"m.SCB", "F32", {6}}, {"m.weight_format", "U8", {1}}};
  Model(block, arrays);
  EXPECT_EQ(Label("m.weight"), "bnb-int8 [6, 40]");
  Model(block, With(arrays, {"m.SCB", "F32", {5}}));
  ExpectProblem({"m.SCB", "[6, 1]", "[5]"});
  Model(block, With(arrays, {"m.weight_format", "U8", {1}, "\x01"}));
  ExpectProblem({"m.weight_format"});
  Model(block, Without(arrays, "m.SCB"));
  ExpectProblem({"without its scales"});
}

}  // namespace
}  // namespace lbrx
