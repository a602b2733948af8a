// What adapters are refused for, and how they are told about.
#include <filesystem>

#include "adapt/test_adapter.h"

namespace lbrx {
namespace {

constexpr const char* kConfig = R"({"peft_type": "LORA", "r": 2, "lora_alpha": 4})";
const std::string kQuery = "base_model.model.model.layers.0.self_attn.q_proj";

class AdapterFaults : public ::testing::Test {
 protected:
  AdapterFaults() {
    TinyLlama().Write(folder_ / "model");
    std::filesystem::create_directory(folder_ / "adapter");
  }

  static std::vector<TestTensor> Pair(const std::string& module, uint64_t rank = 2,
                                      uint64_t in = 64, uint64_t out = 64) {
    return {RandomTensor(module + ".lora_A.weight", DType::kF32, {rank, in}),
            RandomTensor(module + ".lora_B.weight", DType::kF32, {out, rank})};
  }

  void Write(const std::string& config, const std::vector<TestTensor>& tensors) {
    WriteTestFile(folder_ / "adapter/adapter_config.json", config);
    WriteSafetensors(folder_ / "adapter/adapter_model.safetensors", tensors);
  }

  Error Refusal(const std::string& config, const std::vector<TestTensor>& tensors) {
    Write(config, tensors);
    return Refusal();
  }

  Error Refusal() {
    return RefusalOf(
        [&] { AdaptedModel::Open(folder_ / "model", folder_ / "adapter", DType::kBF16); });
  }

  // Refused as kInvalid with all of `texts` in the message.
  static void Expect(const Error& error, const std::vector<std::string>& texts) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    for (const std::string& text : texts) {
      EXPECT_NE(std::string(error.what()).find(text), std::string::npos)
          << text << " in " << error.what();
    }
  }

  TempDir folder_;
};

// `config` with one member more.
std::string With(const std::string& member) {
  return std::string(kConfig, std::string_view(kConfig).size() - 1) + ", " + member + "}";
}

TEST_F(AdapterFaults, TheSoundOneIsTaken) {
  Write(kConfig, Pair(kQuery));
  const AdaptedModel model =
      AdaptedModel::Open(folder_ / "model", folder_ / "adapter", DType::kBF16);
  EXPECT_NE(model.Tensor("model.layers.0.self_attn.q_proj.weight").value->Describe(),
            model.Tensor("model.layers.1.self_attn.q_proj.weight").value->Describe());
  EXPECT_TRUE(model.notices.empty());
}

TEST_F(AdapterFaults, AnotherModelsShapeNamesTensorExpectedAndFound) {
  Expect(Refusal(kConfig, Pair(kQuery, 2, 128, 64)),
         {"adapter_model.safetensors", kQuery + ".lora_A.weight",
          "model.layers.0.self_attn.q_proj.weight [64, 64]", "expected [2, 64]", "found [2, 128]"});
  Expect(Refusal(kConfig, Pair(kQuery, 2, 64, 32)),
         {kQuery + ".lora_B.weight", "expected [64, 2]", "found [32, 2]"});
  // A matrix the wrong way round.
  Expect(Refusal(kConfig, {RandomTensor(kQuery + ".lora_A.weight", DType::kF32, {64, 2}),
                           RandomTensor(kQuery + ".lora_B.weight", DType::kF32, {64, 2})}),
         {"expected [2, 64]", "found [64, 2]"});
}

TEST_F(AdapterFaults, ARankThatIsNotTheConfigurationsIsRefused) {
  Expect(Refusal(kConfig, Pair(kQuery, 4)), {"lora_A", "expected [2, 64]", "found [4, 64]"});
  Expect(Refusal(With(R"("rank_pattern": {"q_proj": 3})"), Pair(kQuery)), {"expected [3, 64]"});
  std::vector<TestTensor> uneven = Pair(kQuery);
  uneven[1] = Pair(kQuery, 4)[1];
  Expect(Refusal(kConfig, uneven), {"lora_B", "expected [64, 2]", "found [64, 4]"});
}

TEST_F(AdapterFaults, AMissingHalfIsNamed) {
  Expect(Refusal(kConfig, {Pair(kQuery)[0]}), {"layers.0.self_attn.q_proj", "expected lora_B"});
  Expect(Refusal(kConfig, {Pair(kQuery)[1]}), {"layers.0.self_attn.q_proj", "expected lora_A"});
  Expect(Refusal(With(R"("use_dora": true)"), Pair(kQuery)), {"expected lora_magnitude_vector"});
}

TEST_F(AdapterFaults, WhatAnswersToNothingIsNamed) {
  Expect(Refusal(kConfig, Pair("base_model.model.model.layers.7.self_attn.q_proj")),
         {"base_model.model.model.layers.7.self_attn.q_proj.lora_A.weight",
          "expected model.layers.7.self_attn.q_proj.weight"});
  std::vector<TestTensor> tensors = Pair(kQuery);
  tensors.push_back(RandomTensor("base_model.model.score.weight", DType::kF32, {2, 64}));
  Expect(Refusal(kConfig, tensors), {"base_model.model.score.weight", "the model has no tensor"});
}

TEST_F(AdapterFaults, TwoPartsForOneTensorAreRefused) {
  std::vector<TestTensor> tensors = Pair(kQuery);
  tensors.push_back(RandomTensor(kQuery + ".lora_A.other.weight", DType::kF32, {2, 64}));
  Expect(Refusal(kConfig, tensors), {"two tensors", "q_proj.lora_A"});
}

TEST_F(AdapterFaults, PartsOfOtherKindsAreRefusedByName) {
  for (const char* part : {".lora_E", ".lora_diag.default", ".lora_A_local.weight"}) {
    std::vector<TestTensor> tensors = Pair(kQuery);
    tensors.push_back(RandomTensor(kQuery + part, DType::kF32, {2, 64}));
    Expect(Refusal(kConfig, tensors), {kQuery + part, "not known here"});
  }
  Expect(Refusal(kConfig, {RandomTensor("base_model.model.model.embed_tokens.token_adapter."
                                        "trainable_tokens_delta",
                                        DType::kF32, {2, 64})}),
         {"trainable_tokens_delta"});
  std::vector<TestTensor> tensors = Pair(kQuery);
  tensors.push_back(RandomTensor(kQuery + ".lora_magnitude_vector", DType::kF32, {64}));
  Expect(Refusal(kConfig, tensors), {"lora_magnitude_vector", "use_dora"});
}

TEST_F(AdapterFaults, ABiasForAModuleWithoutOneIsRefused) {
  std::vector<TestTensor> tensors = Pair(kQuery);
  tensors.push_back(RandomTensor(kQuery + ".lora_B.bias", DType::kF32, {64}));
  Expect(Refusal(With(R"("lora_bias": true)"), tensors), {"lora_B.bias", "has no bias"});
}

TEST_F(AdapterFaults, VectorsHaveNoProducts) {
  Expect(Refusal(kConfig, Pair("base_model.model.model.norm")),
         {"model.norm.weight", "no matrix", "found [64]"});
}

TEST_F(AdapterFaults, ValuesMustBeFloats) {
  std::vector<TestTensor> tensors = Pair(kQuery);
  tensors[0].dtype = DType::kI32;
  Expect(Refusal(kConfig, tensors), {"lora_A.weight", "found i32"});
}

TEST_F(AdapterFaults, ConfigurationsThatChangeTheMeaningAreRefusedByKey) {
  const std::vector<std::pair<std::string, std::string>> members = {
      {R"("alora_invocation_tokens": [1, 2])", "alora_invocation_tokens"},
      {R"("layer_replication": [[0, 2]])", "layer_replication"},
      {R"("target_parameters": ["mlp.experts.gate_up_proj"])", "target_parameters"},
      {R"("trainable_token_indices": [1])", "trainable_token_indices"},
      {R"("use_qalora": true)", "use_qalora"},
      {R"("init_lora_weights": "pissa")", "init_lora_weights"},
      {R"("init_lora_weights": "pissa_niter_4")", "init_lora_weights"},
      {R"("init_lora_weights": "olora")", "init_lora_weights"},
      {R"("from_the_future": 3)", "from_the_future"},
      {R"("use_rslora": "yes")", "use_rslora"},
      {R"("alpha_pattern": {"q_proj": "much"})", "alpha_pattern"},
      {R"("rank_pattern": {"q_proj": -1})", "rank_pattern"},
      {R"("rank_pattern": {"q_(proj": 2})", "rank_pattern"},
      {R"("rank_pattern": [2])", "rank_pattern"},
  };
  for (const auto& [member, key] : members) {
    SCOPED_TRACE(member);
    Expect(Refusal(With(member), Pair(kQuery)), {"adapter_config.json", key});
  }
}

TEST_F(AdapterFaults, WhatTheConfigurationSaysOfTrainingIsNothingToUs) {
  for (const char* member :
       {R"("lora_dropout": 0.5)", R"("from_the_future": null)",
        R"("init_lora_weights": "gaussian")", R"("target_modules": "(x+x+)+y")",
        R"("base_model_name_or_path": "/not/here")"}) {
    Write(With(member), Pair(kQuery));
    EXPECT_NO_THROW(AdaptedModel::Open(folder_ / "model", folder_ / "adapter", DType::kBF16))
        << member;
  }
}

TEST_F(AdapterFaults, RanksThatAreNoneAreRefused) {
  for (const char* rank : {"0", "-4", "1.5", "\"8\"", "1e300", "99999999999"}) {
    Expect(Refusal(std::string(R"({"peft_type": "LORA", "r": )") + rank + "}", Pair(kQuery)),
           {"r: is no rank"});
  }
}

TEST_F(AdapterFaults, OtherKindsOfAdaptersAreNamed) {
  Expect(Refusal(R"({"peft_type": "IA3"})", Pair(kQuery)), {"peft_type", "expected LORA", "IA3"});
  Expect(Refusal(R"({"r": 2})", Pair(kQuery)), {"adapter_config.json", "peft_type"});
  Expect(Refusal(R"({"fine_tune_type": "other"})", Pair(kQuery)), {"fine_tune_type", "other"});
  Expect(Refusal(R"({"fine_tune_type": "lora", "lora_parameters": {"rank": 2}})", Pair(kQuery)),
         {"lora_parameters"});
}

// A pattern that backtracks without end is stopped.
TEST_F(AdapterFaults, AnExponentialPatternEnds) {
  const std::string name(60, 'a');
  const std::string module = "base_model.model." + name + "b";
  Write(With(R"x("rank_pattern": {"(a+)+(c|d)": 2})x"), Pair(module));
  const auto adapter = OpenAdapter(folder_ / "adapter");
  EXPECT_EQ(RefusalOf([&] { adapter->config.RankOf(name + "b"); }).code(), ErrorCode::kLimit);
}

TEST_F(AdapterFaults, FilesThatAreMissingOrDamagedAreNamed) {
  Expect(Refusal(), {"adapter", "expected adapter_config.json"});
  WriteTestFile(folder_ / "adapter/adapter_config.json", kConfig);
  Expect(Refusal(), {"weights are missing", "adapter_model.safetensors"});
  Write(kConfig, {});
  Expect(Refusal(), {"has no tensors"});
  Write(kConfig, Pair(kQuery));
  const std::string file = folder_ / "adapter/adapter_model.safetensors";
  const std::string whole = ReadTestFile(file);
  for (const size_t length : {whole.size() - 1, whole.size() / 2, size_t{20}, size_t{0}}) {
    WriteTestFile(file, whole.substr(0, length));
    Expect(Refusal(), {"adapter_model.safetensors"});
  }
  WriteTestFile(folder_ / "adapter/adapter_config.json", "{\"peft_type\": \"LORA\"");
  Expect(Refusal(), {"adapter_config.json"});
  EXPECT_EQ(RefusalOf([&] { OpenAdapter(folder_ / "nowhere"); }).code(), ErrorCode::kIo);
}

}  // namespace
}  // namespace lbrx
