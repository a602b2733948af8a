// Adapters of PEFT and mlx-lm against what these make of the same models (tests/data/adapters).
#include <algorithm>
#include <cmath>
#include <cstring>

#include "adapt/test_adapter.h"
#include "core/tensor/convert.h"

namespace lbrx {
namespace {

std::string DataPath(const std::string& name) {
  return std::string(LBRX_TEST_DATA) + "/" + name;
}

std::vector<float> Floats(const std::string& bytes) {
  std::vector<float> out(bytes.size() / sizeof(float));
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

class Adapters : public ::testing::TestWithParam<const char*> {
 protected:
  Adapters()
      : folder_(DataPath(std::string("adapters/") + GetParam())),
        expected_(ParseJson(ReadTestFile(folder_ + "/expected.json"), "expected.json")) {}

  std::string Base() const { return DataPath("arch/" + expected_.Find("model")->AsString()); }

  // Under the names and in the shapes that `expected_` has.
  std::vector<NamedValue> InLayoutOfPeer(AdaptedModel& model) const {
    const Naming naming = NamingOf(*model.sources[0]);
    return expected_.Find("layout") == nullptr
               ? model.tensors
               : Rearrange(naming, naming.InMlx(), model.sources[0]->config, model.tensors);
  }

  std::string folder_;
  Json expected_;
};

// Our sums are float32 in ascending order, theirs in the order of a BLAS.
constexpr double kTolerance = 2e-6;

void ExpectSamples(const std::vector<float>& values, const Json& expected) {
  double squares = 0;
  float largest = 0;
  for (const float value : values) {
    squares += static_cast<double>(value) * value;
    largest = std::max(largest, std::fabs(value));
  }
  const double norm = expected.Find("norm")->AsDouble();
  EXPECT_NEAR(std::sqrt(squares), norm, kTolerance * norm);
  const Json::Array& samples = expected.Find("values")->AsArray();
  ASSERT_FALSE(samples.empty());
  for (size_t i = 0; i < samples.size(); ++i) {
    EXPECT_NEAR(values[(i * 7919 + 13) % values.size()], samples[i].AsDouble(),
                kTolerance * largest);
  }
}

TEST_P(Adapters, GiveThePeersTensors) {
  AdaptedModel model = AdaptedModel::Open(Base(), folder_, DType::kF32);
  size_t met = 0;
  for (const NamedValue& tensor : InLayoutOfPeer(model)) {
    if (const Json* expected = expected_.Find("tensors")->Find(tensor.name)) {
      SCOPED_TRACE(tensor.name);
      const uint64_t all = tensor.value->shape().elements();
      ExpectSamples(Floats(ReadInRuns(model.sources, *tensor.value, all)), *expected);
      ++met;
    }
  }
  EXPECT_EQ(met, expected_.Find("tensors")->AsObject().size());
}

// The adapter changes no tensor that the peer left alone.
TEST_P(Adapters, ChangeNothingElse) {
  AdaptedModel model = AdaptedModel::Open(Base(), folder_, DType::kF32);
  const std::map<std::string, std::string> base = ReadSafetensors(Base() + "/model.safetensors");
  for (const NamedValue& tensor : model.tensors) {
    const bool changed = tensor.value->Describe().find("low_rank(") != std::string::npos ||
                         tensor.value->Describe().find("load(1") != std::string::npos;
    const Json* expected = expected_.Find("tensors")->Find(tensor.name);
    if (expected_.Find("layout") == nullptr) {
      EXPECT_EQ(changed, expected != nullptr) << tensor.name;
    }
    if (!changed) {
      const ValuePtr stored = CastTo(tensor.value, DType::kBF16);
      EXPECT_EQ(ReadInRuns(model.sources, *stored, 1000), base.at(tensor.name)) << tensor.name;
    }
  }
}

// Of a bf16 model each value is that of the float32 one, rounded once; however it is read.
TEST_P(Adapters, RoundOnceAndDoNotDependOnRuns) {
  AdaptedModel exact = AdaptedModel::Open(Base(), folder_, DType::kF32);
  AdaptedModel rounded = AdaptedModel::Open(Base(), folder_, DType::kBF16);
  for (const NamedValue& tensor : rounded.tensors) {
    const uint64_t all = tensor.value->shape().elements();
    const std::string whole = ReadInRuns(rounded.sources, *tensor.value, all);
    const std::string floats = ReadInRuns(exact.sources, *exact.Tensor(tensor.name).value, all);
    std::string expected(whole.size(), '\0');
    Convert(DType::kF32, reinterpret_cast<const std::byte*>(floats.data()), DType::kBF16,
            reinterpret_cast<std::byte*>(expected.data()), all);
    EXPECT_EQ(whole, expected) << tensor.name;
    if (all < 20000) {  // a transposed DoRA is slow in small runs
      for (const uint64_t run : {uint64_t{333}, uint64_t{1111}}) {
        EXPECT_EQ(ReadInRuns(rounded.sources, *tensor.value, run), whole)
            << tensor.name << " in runs of " << run;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(OfPeft, Adapters,
                         ::testing::Values("lora", "patterns", "saved", "embedding", "dora",
                                           "dora_embedding", "conv1d", "conv1d_dora", "lora_bias",
                                           "torch", "adapter_names", "no_prefix"));
INSTANTIATE_TEST_SUITE_P(OfMlx, Adapters,
                         ::testing::Values("mlx_lora", "mlx_dora", "mlx_experts", "mlx_conv1d",
                                           "mlx_full"));

TEST(Adapter, OfATiedEmbeddingChangesTheHeadAndSaysSo) {
  TempDir folder;
  TinyLlama llama;
  llama.tied = true;
  llama.Write(folder / "model");
  WriteTestFile(folder / "adapter_config.json",
                R"({"peft_type": "LORA", "r": 2, "lora_alpha": 4})");
  const std::string module = "base_model.model.model.embed_tokens.lora_embedding_";
  WriteSafetensors(folder / "adapter_model.safetensors",
                   {RandomTensor(module + "A", DType::kF32, {2, 96}),
                    RandomTensor(module + "B", DType::kF32, {64, 2})});
  const AdaptedModel model = AdaptedModel::Open(folder / "model", folder.path(), DType::kBF16);
  ASSERT_EQ(model.notices.size(), 1U);
  EXPECT_NE(model.notices[0].find("changes the head"), std::string::npos);
}

TEST(Adapter, IsFoundByTheNamesOfOtherVersionsOfTransformers) {
  TempDir folder;
  const std::string base = DataPath("multimodal/qwen2_5_vl");
  const Checkpoint model = OpenCheckpoint(base);
  const Naming naming = NamingOf(model);
  const auto query = std::find_if(model.tensors.begin(), model.tensors.end(), [](const auto& row) {
    return row.name.ends_with("layers.0.self_attn.q_proj.weight");
  });
  ASSERT_NE(query, model.tensors.end());
  WriteTestFile(folder / "adapter_config.json", R"({"peft_type": "LORA", "r": 2})");
  for (const Spelling* spelling : naming.spellings()) {
    Naming other = naming;
    other.hugging_face = spelling;
    std::string module = "base_model.model." + other.Translate(naming, query->name);
    module.resize(module.size() - std::strlen(".weight"));
    WriteSafetensors(folder / "adapter_model.safetensors",
                     {RandomTensor(module + ".lora_A.weight", DType::kF32, {2, query->shape[1]}),
                      RandomTensor(module + ".lora_B.weight", DType::kF32, {query->shape[0], 2})});
    const AdaptedModel adapted = AdaptedModel::Open(base, folder.path(), DType::kBF16);
    EXPECT_NE(adapted.Tensor(query->name).value->Describe().find("low_rank("), std::string::npos)
        << module;
  }
}

}  // namespace
}  // namespace lbrx
