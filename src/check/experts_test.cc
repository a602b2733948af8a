// Models with experts: the same in each of their layouts, and what is checked of them.
#include "check/test_model.h"

namespace lbrx {
namespace {

constexpr uint64_t kExperts = 3;
constexpr uint64_t kWide = 32;  // of an expert
constexpr uint64_t kHidden = TestModel::kHidden;

// One projection of an expert.
TestTensor Expert(uint64_t expert, uint32_t projection, const Shape& shape) {
  return BF16Tensor(
      shape, TestValues(shape.elements(), 1000 + static_cast<uint32_t>(expert) * 3 + projection));
}

// The stack of a projection, experts first.
TestTensor Stack(uint32_t projection, const Shape& shape) {
  TestTensor stack{DType::kBF16, {kExperts, shape[0], shape[1]}, ""};
  for (uint64_t expert = 0; expert < kExperts; ++expert) {
    stack.bytes += Expert(expert, projection, shape).bytes;
  }
  return stack;
}

// Gate over up, expert by expert.
TestTensor FusedGateUp() {
  TestTensor stack{DType::kBF16, {kExperts, 2 * kWide, kHidden}, ""};
  for (uint64_t expert = 0; expert < kExperts; ++expert) {
    stack.bytes += Expert(expert, 0, {kWide, kHidden}).bytes;
    stack.bytes += Expert(expert, 1, {kWide, kHidden}).bytes;
  }
  return stack;
}

// A qwen3_moe of two layers, the first one dense, without its experts.
TestModel MoeTrunk() {
  TestModel model;
  model.config.Set("model_type", "qwen3_moe");
  model.config.Set("num_experts", static_cast<int64_t>(kExperts));
  model.config.Set("moe_intermediate_size", static_cast<int64_t>(kWide));
  model.tensors.erase("model.layers.1.mlp.gate_proj.weight");
  model.tensors.erase("model.layers.1.mlp.up_proj.weight");
  model.tensors.erase("model.layers.1.mlp.down_proj.weight");
  for (const std::string layer : {"0", "1"}) {
    model.Add("model.layers." + layer + ".self_attn.q_norm.weight", {16});
    model.Add("model.layers." + layer + ".self_attn.k_norm.weight", {16});
  }
  model.Add("model.layers.1.mlp.gate.weight", {kExperts, kHidden});
  return model;
}

TestModel PerExpert() {
  TestModel model = MoeTrunk();
  for (uint64_t expert = 0; expert < kExperts; ++expert) {
    const std::string name = "model.layers.1.mlp.experts." + std::to_string(expert);
    model.tensors[name + ".gate_proj.weight"] = Expert(expert, 0, {kWide, kHidden});
    model.tensors[name + ".up_proj.weight"] = Expert(expert, 1, {kWide, kHidden});
    model.tensors[name + ".down_proj.weight"] = Expert(expert, 2, {kHidden, kWide});
  }
  return model;
}

TestModel Fused() {
  TestModel model = MoeTrunk();
  model.tensors["model.layers.1.mlp.experts.gate_up_proj"] = FusedGateUp();
  model.tensors["model.layers.1.mlp.experts.down_proj"] = Stack(2, {kHidden, kWide});
  return model;
}

TestModel Mlx() {
  TestModel model = MoeTrunk();
  model.format = "mlx";
  const std::string stacks = "model.layers.1.mlp.switch_mlp.";
  model.tensors[stacks + "gate_proj.weight"] = Stack(0, {kWide, kHidden});
  model.tensors[stacks + "up_proj.weight"] = Stack(1, {kWide, kHidden});
  model.tensors[stacks + "down_proj.weight"] = Stack(2, {kHidden, kWide});
  return model;
}

// An open checkpoint in a folder of its own.
struct Opened {
  explicit Opened(const TestModel& model) {
    model.Write(folder);
    checkpoint = OpenForCheck(folder.path());
  }

  TempDir folder;
  Checkpoint checkpoint;
};

std::map<std::string, std::string> Hashes(const TestModel& model) {
  const Opened opened(model);
  TestOptions test;
  std::map<std::string, std::string> out;
  for (const TensorHash& hash : HashTensors(opened.checkpoint, test.options)) {
    out[hash.name] = hash.xxh3_128;
  }
  return out;
}

std::string Problems(const TestModel& model) {
  const Opened opened(model);
  TestOptions test;
  std::string text;
  for (const Problem& problem : Validate(opened.checkpoint, /*deep=*/true, test.options)) {
    text += problem.detail.object + ": " + problem.detail.what + "\n";
  }
  return text;
}

TEST(Experts, HashTheSameInEveryLayout) {
  const auto expected = Hashes(PerExpert());
  ASSERT_EQ(expected.count("model.layers.1.mlp.experts.2.down_proj.weight"), 1U);
  EXPECT_EQ(Hashes(Fused()), expected);
  EXPECT_EQ(Hashes(Mlx()), expected);
}

TEST(Experts, DoNotDifferBetweenLayouts) {
  const Opened mlx(Mlx());
  TestModel changed = PerExpert();
  changed.SetElement("model.layers.1.mlp.experts.1.up_proj.weight", 5, 9);
  const Opened per_expert(changed);
  TestOptions test;
  std::vector<std::string> differing;
  for (const TensorDiff& diff : Diff(mlx.checkpoint, per_expert.checkpoint, 0, test.options)) {
    if (diff.kind != TensorDiff::Kind::kEqual) {
      differing.push_back(diff.name);
    }
  }
  EXPECT_EQ(differing, std::vector<std::string>{"model.layers.1.mlp.experts.1.up_proj.weight"});
}

TEST(Experts, AreSoundInEveryLayout) {
  EXPECT_EQ(Problems(PerExpert()), "");
  EXPECT_EQ(Problems(Fused()), "");
  EXPECT_EQ(Problems(Mlx()), "");
}

TEST(Experts, AreMissedOneByOne) {
  TestModel model = PerExpert();
  model.tensors.erase("model.layers.1.mlp.experts.1.up_proj.weight");
  model.tensors.erase("model.layers.1.mlp.gate.weight");
  model.AddLayer(2);
  model.config.Set("num_hidden_layers", 3);
  EXPECT_NE(Problems(model).find("model.layers.1.mlp.gate.weight: the tensor is missing"),
            std::string::npos)
      << "the router";
  EXPECT_NE(Problems(model).find("model.layers.2.self_attn.q_norm.weight: the tensor is missing"),
            std::string::npos)
      << "which other layers have";
  EXPECT_NE(Problems(model).find("experts.{E}.up_proj: the number of experts contradicts"),
            std::string::npos);
}

TEST(Experts, MustBeAsManyAsTheConfigTells) {
  TestModel model = Mlx();
  model.config.Set("num_experts", 4);
  EXPECT_EQ(Problems(model),
            "model.layers.1.mlp.gate.weight: the number of experts contradicts config.json\n"
            "model.layers.1.mlp.switch_mlp.down_proj.weight: the number of experts contradicts "
            "config.json\n"
            "model.layers.1.mlp.switch_mlp.gate_proj.weight: the number of experts contradicts "
            "config.json\n"
            "model.layers.1.mlp.switch_mlp.up_proj.weight: the number of experts contradicts "
            "config.json\n");
}

TEST(Experts, LeaveNoLayerWithoutAFeedForwardPart) {
  TestModel model = PerExpert();
  model.tensors.erase("model.layers.0.mlp.down_proj.weight");
  EXPECT_EQ(Problems(model), "model.layers.0.mlp.down_proj.weight: the tensor is missing\n");
  model.tensors.erase("model.layers.0.mlp.gate_proj.weight");
  model.tensors.erase("model.layers.0.mlp.up_proj.weight");
  EXPECT_NE(Problems(model).find("model.layers.0.mlp.gate.weight: the tensor is missing"),
            std::string::npos)
      << "as no layer is dense";
}

}  // namespace
}  // namespace lbrx
