// Models of a merge: their formats, what they lack and have too much, and what is refused.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>

#include "merge/test_merges.h"
#include "support/checkpoints.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

// Two tiny Llamas of the same shapes: their tensors are drawn from other sequences.
class MergeModelsTest : public ::testing::Test {
 protected:
  MergeModelsTest() {
    Write("a", TinyLlama{.layers = 3, .dtype = DType::kF32}, 0);
    Write("b", TinyLlama{.layers = 3, .dtype = DType::kF32}, 1);
  }

  // Like TinyLlama::Write, every value shifted by `by` / 16 so that models differ.
  void Write(const std::string& name, const TinyLlama& llama, int by,
             const std::vector<TestTensor>& more = {}) {
    llama.Write(dir_ / name);
    std::filesystem::remove(dir_ / (name + "/tokenizer.json"));  // it is none that encodes
    const std::string config = dir_ / (name + "/config.json");
    WriteTestFile(config, std::regex_replace(ReadTestFile(config), std::regex("\\{"),
                                             "{\"max_position_embeddings\": 64, ",
                                             std::regex_constants::format_first_only));
    std::vector<TestTensor> tensors = llama.Tensors();
    for (TestTensor& tensor : tensors) {
      Shift(tensor, static_cast<float>(by) / 16);
    }
    tensors.insert(tensors.end(), more.begin(), more.end());
    WriteSafetensors(dir_ / (name + "/model.safetensors"), tensors);
  }

  static void Shift(TestTensor& tensor, float by) {
    if (tensor.dtype != DType::kF32) {
      return;
    }
    for (size_t i = 0; i < tensor.bytes.size(); i += sizeof(float)) {
      float value = 0;
      std::memcpy(&value, tensor.bytes.data() + i, sizeof(value));
      value += by;
      std::memcpy(tensor.bytes.data() + i, &value, sizeof(value));
    }
  }

  // "$a" becomes the path of model a.
  std::string Config(std::string text) const {
    return std::regex_replace(text, std::regex("\\$"), dir_.path() + "/");
  }

  MergeRequest Request(const std::string& text) const { return RequestOf(Config(text)); }

  // The message of what planning refuses.
  std::string Refusal(const MergeRequest& request) const {
    try {
      PlanMerge(request, {});
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalid) << error.what();
      return error.what();
    }
    return "nothing was refused";
  }

  TempDir dir_;
};

constexpr char kLinear[] =
    "models: [{model: $a, parameters: {weight: 0.25}}, {model: $b, parameters: {weight: 0.75}}]\n"
    "merge_method: linear\n";

void ExpectNear(const std::map<std::string, ReadTensor>& found,
                const std::map<std::string, ReadTensor>& expected, double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    ASSERT_TRUE(found.contains(name)) << name;
    const std::vector<float>& values = found.at(name).values;
    ASSERT_EQ(values.size(), tensor.values.size()) << name;
    double most = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      most = std::max<double>(most, std::abs(values[i] - tensor.values[i]));
    }
    EXPECT_LE(most, tolerance) << name;
  }
}

TEST_F(MergeModelsTest, LinearIsTheWeightedMean) {
  Execute(Request(kLinear), dir_ / "out");
  const auto a = TensorsOf(dir_ / "a");
  const auto b = TensorsOf(dir_ / "b");
  for (const auto& [name, tensor] : TensorsOf(dir_ / "out")) {
    for (size_t i = 0; i < tensor.values.size(); ++i) {
      const double expected = 0.25 * a.at(name).values[i] + 0.75 * b.at(name).values[i];
      ASSERT_NEAR(tensor.values[i], expected, 1e-6) << name << " " << i;
    }
  }
}

// One model as GGUF, the other as MLX: both hold the same floats.
TEST_F(MergeModelsTest, FormatsMayBeMixed) {
  Execute(Request(kLinear), dir_ / "expected");
  for (const auto& [source, target, to] :
       {std::tuple("a", "a.gguf", TargetKind::kGguf), std::tuple("b", "b-mlx", TargetKind::kMlx)}) {
    ConvertRequest request;
    request.source = dir_ / source;
    request.destination = dir_ / target;
    request.target = to;
    RunOptions options;
    options.destination = request.destination;
    options.sync = false;
    RunPlan(PlanConvert(request, std::make_shared<Checkpoint>(OpenModel(request.source))), options);
  }
  const std::string text =
      std::regex_replace(std::regex_replace(std::string(kLinear), std::regex("\\$a"), "$$a.gguf"),
                         std::regex("\\$b"), "$$b-mlx");
  Execute(Request(text), dir_ / "out");
  ExpectNear(TensorsOf(dir_ / "out"), TensorsOf(dir_ / "expected"), 0);
}

// Quantizing on the way gives the bytes of two steps.
TEST_F(MergeModelsTest, OnePassEqualsTwo) {
  const MergeRequest merge = Request(std::string(kLinear) + "dtype: bfloat16\n");
  Execute(merge, dir_ / "floats");
  Execute(merge, dir_ / "one", 2, uint64_t{64} << 20, "4bit");
  ConvertRequest request;
  request.source = dir_ / "floats";
  request.destination = dir_ / "two";
  request.scheme = "4bit";
  RunOptions options;
  options.destination = request.destination;
  options.sync = false;
  RunPlan(PlanConvert(request, std::make_shared<Checkpoint>(OpenModel(request.source))), options);
  EXPECT_EQ(ReadSafetensors(dir_ / "one/model.safetensors"),
            ReadSafetensors(dir_ / "two/model.safetensors"));
}

TEST_F(MergeModelsTest, LayersAreStacked) {
  Execute(Request("slices:\n"
                  "- sources: [{model: $a, layer_range: [0, 2]}]\n"
                  "- sources: [{model: $b, layer_range: [1, 3]}]\n"
                  "merge_method: passthrough\n"),
          dir_ / "out");
  const auto out = TensorsOf(dir_ / "out");
  const auto a = TensorsOf(dir_ / "a");
  const auto b = TensorsOf(dir_ / "b");
  const std::string leaf = ".mlp.up_proj.weight";
  EXPECT_EQ(out.at("model.layers.1" + leaf).values, a.at("model.layers.1" + leaf).values);
  EXPECT_EQ(out.at("model.layers.2" + leaf).values, b.at("model.layers.1" + leaf).values);
  EXPECT_EQ(out.at("model.layers.3" + leaf).values, b.at("model.layers.2" + leaf).values);
  EXPECT_FALSE(out.contains("model.layers.4" + leaf));
  // Before the layers as the first slice says, behind them as the last.
  EXPECT_EQ(out.at("model.embed_tokens.weight").values, a.at("model.embed_tokens.weight").values);
  EXPECT_EQ(out.at("model.norm.weight").values, b.at("model.norm.weight").values);
  EXPECT_EQ(OpenModel(dir_ / "out").config.Find("num_hidden_layers")->AsUint64(), 4U);
}

// A model without a head of its own contributes its embedding, and the result says that it has one.
TEST_F(MergeModelsTest, TiedAndUntiedHeads) {
  Write("tied", TinyLlama{.layers = 3, .dtype = DType::kF32, .tied = true}, 2);
  Execute(Request("models: [{model: $tied, parameters: {weight: 0.5}}, {model: $b, parameters: "
                  "{weight: 0.5}}]\nmerge_method: linear\n"),
          dir_ / "out");
  const std::vector<float> head = TensorsOf(dir_ / "out").at("lm_head.weight").values;
  const std::vector<float> embedding =
      TensorsOf(dir_ / "tied").at("model.embed_tokens.weight").values;
  const std::vector<float> other = TensorsOf(dir_ / "b").at("lm_head.weight").values;
  for (size_t i = 0; i < head.size(); ++i) {
    ASSERT_NEAR(head[i], (embedding[i] + other[i]) / 2, 1e-6) << i;
  }
  EXPECT_FALSE(OpenModel(dir_ / "out").config.Find("tie_word_embeddings")->AsBool());
}

// What the architecture does not have comes from the base, except where mergekit is to be matched.
TEST_F(MergeModelsTest, UnknownTensorsAreCarried) {
  const TestTensor strange = RandomTensor("model.layers.1.strange", DType::kF32, {8});
  Write("more", TinyLlama{.layers = 3, .dtype = DType::kF32}, 0, {strange});
  const std::string text =
      "models: [{model: $b, parameters: {weight: 0.5}}]\nbase_model: $more\n"
      "merge_method: task_arithmetic\n";
  MergeRequest request = Request(text);
  const std::string notices = Execute(request, dir_ / "out");
  EXPECT_EQ(ReadSafetensors(dir_ / "out/model.safetensors").at(strange.name), strange.bytes);
  EXPECT_NE(notices.find("carried from the base: model.layers.1.strange"), std::string::npos);
  request.compat = true;
  Execute(request, dir_ / "compat");
  EXPECT_FALSE(ReadSafetensors(dir_ / "compat/model.safetensors").contains(strange.name));
}

TEST_F(MergeModelsTest, PassthroughKeepsCodes) {
  ConvertRequest quantize;
  quantize.source = dir_ / "a";
  quantize.destination = dir_ / "a4";
  quantize.scheme = "4bit";
  RunOptions options;
  options.destination = quantize.destination;
  options.sync = false;
  RunPlan(PlanConvert(quantize, std::make_shared<Checkpoint>(OpenModel(quantize.source))), options);
  MergeRequest merge = Request(
      "slices:\n- sources: [{model: $a4, layer_range: [0, 3]}]\nmerge_method: passthrough\n");
  ConvertRequest request;
  request.command = "merge";
  request.destination = dir_ / "out";
  request.target = TargetKind::kMlx;
  request.merge = merge.ToJson();
  options.destination = request.destination;
  RunPlan(PlanConvert(request, PlanMerge(merge, {}).source), options);
  EXPECT_EQ(ReadSafetensors(dir_ / "out/model.safetensors"),
            ReadSafetensors(dir_ / "a4/model.safetensors"));
}

TEST_F(MergeModelsTest, RefusesBeforeAnythingIsRead) {
  Write("short", TinyLlama{.layers = 2, .dtype = DType::kF32}, 1);
  const std::string layers = Refusal(Request(
      "slices:\n- sources: [{model: $short, layer_range: [0, 3]}]\nmerge_method: passthrough\n"));
  EXPECT_NE(layers.find("has fewer layers"), std::string::npos) << layers;
  EXPECT_NE(layers.find("line 2"), std::string::npos) << layers;

  const std::string depths = Refusal(Request(
      "models: [{model: $a}, {model: $short}]\nparameters: {weight: 1}\nmerge_method: linear\n"));
  EXPECT_NE(depths.find("different numbers of layers"), std::string::npos) << depths;

  const std::string base =
      Refusal(Request("models: [{model: $a}]\nparameters: {weight: 1}\nmerge_method: ties\n"));
  EXPECT_NE(base.find("base_model"), std::string::npos) << base;

  const std::string method = Refusal(Request("models: [{model: $a}]\nmerge_method: tise\n"));
  EXPECT_NE(method.find("ties"), std::string::npos) << method;

  const std::string weight = Refusal(Request("models: [{model: $a}]\nmerge_method: linear\n"));
  EXPECT_NE(weight.find("needs the parameter weight"), std::string::npos) << weight;

  const std::string two =
      Refusal(Request("models: [{model: $a}, {model: $b}]\nmerge_method: slerp\n"
                      "base_model: $a\n"));
  EXPECT_NE(two.find("needs the parameter t"), std::string::npos) << two;
}

TEST_F(MergeModelsTest, ShapesThatDifferAreListed) {
  std::vector<TestTensor> tensors = TinyLlama{.layers = 3, .dtype = DType::kF32}.Tensors();
  TinyLlama{.layers = 3, .dtype = DType::kF32}.Write(dir_ / "odd");
  for (TestTensor& tensor : tensors) {
    if (tensor.name.ends_with("up_proj.weight")) {
      tensor = RandomTensor(tensor.name, DType::kF32, {64, 64});
    }
  }
  WriteSafetensors(dir_ / "odd/model.safetensors", tensors);
  const std::string message = Refusal(Request(
      "models: [{model: $a}, {model: $odd}]\nparameters: {weight: 1}\nmerge_method: linear\n"));
  EXPECT_NE(message.find("3 tensors have different shapes"), std::string::npos) << message;
  EXPECT_NE(message.find("model.layers.1.mlp.up_proj.weight"), std::string::npos) << message;
}

TEST_F(MergeModelsTest, ParametersThatNobodyReadsAreTold) {
  const std::string text =
      "models: [{model: $a, parameters: {weight: 1, wieght: 2}}, {model: $b, parameters: {weight: "
      "1}}]\nparameters: {normalise: false}\nmerge_method: linear\n";
  MergeRequest request = Request(text);
  std::string notices;
  for (const std::string& notice : PlanMerge(request, {}).notices) {
    notices += notice + "\n";
  }
  EXPECT_NE(notices.find("no parameter \"wieght\""), std::string::npos) << notices;
  EXPECT_NE(notices.find("normalize"), std::string::npos) << notices;
  request.strict = true;
  EXPECT_NE(Refusal(request).find("--strict"), std::string::npos);
}

TEST_F(MergeModelsTest, AnotherArchitectureNeedsAllowCrimes) {
  Write("other", TinyLlama{.layers = 3, .dtype = DType::kF32}, 1);
  std::string config = ReadTestFile(dir_ / "other/config.json");
  config = std::regex_replace(config, std::regex("LlamaForCausalLM"), "MistralForCausalLM");
  config = std::regex_replace(config, std::regex("\"llama\""), "\"mistral\"");
  WriteTestFile(dir_ / "other/config.json", config);
  MergeRequest request = Request(
      "models: [{model: $a}, {model: $other}]\nparameters: {weight: 1}\nmerge_method: linear\n");
  EXPECT_NE(Refusal(request).find("--allow-crimes"), std::string::npos);
  request.mixed = true;
  Execute(request, dir_ / "out");
  EXPECT_EQ(TensorsOf(dir_ / "out").size(), TensorsOf(dir_ / "a").size());
}

// Neither a model's name nor the configuration can break out of where they stand in README.md.
TEST_F(MergeModelsTest, TheCardQuotesWhatItIsGiven) {
  const std::string hostile = "<script>`x";
  std::filesystem::copy(dir_ / "b", dir_ / hostile, std::filesystem::copy_options::recursive);
  Execute(Request("# ```\nmodels: [{model: $a}, {model: \"$" + hostile +
                  "\"}]\nparameters: {weight: 1}\nmerge_method: linear\n"),
          dir_ / "out");
  const std::string card = ReadTestFile(dir_ / "out/README.md");
  EXPECT_NE(card.find("- `` " + dir_.path() + "/" + hostile + " ``\n"), std::string::npos) << card;
  EXPECT_NE(card.find("\n````yaml\n# ```\n"), std::string::npos) << card;
  EXPECT_TRUE(card.ends_with("\n````\n")) << card;
}

TEST_F(MergeModelsTest, ValuesThatAreNotFiniteAreRefused) {
  std::vector<TestTensor> tensors = TinyLlama{.layers = 3, .dtype = DType::kF32}.Tensors();
  const float nan = std::nanf("");
  std::memcpy(tensors[2].bytes.data() + 20, &nan, sizeof(nan));
  TinyLlama{.layers = 3, .dtype = DType::kF32}.Write(dir_ / "bad");
  WriteSafetensors(dir_ / "bad/model.safetensors", tensors);
  // task_arithmetic reads each tile once, ties looks at the whole tensor first.
  for (const char* method : {"task_arithmetic", "ties"}) {
    const std::string text = Config(
        "models: [{model: $bad, parameters: {weight: 1, density: 0.5}}]\nbase_model: $a\n"
        "merge_method: ");
    try {
      Execute(RequestOf(text + method + "\n"), dir_ / "out");
      FAIL() << method;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalid);
      EXPECT_EQ(error.detail().object, tensors[2].name) << error.what();
      EXPECT_NE(error.detail().found.find("element 5"), std::string::npos) << error.what();
    }
    EXPECT_FALSE(PathExists(dir_ / "out"));
  }
}

}  // namespace
}  // namespace lbrx
