#include <atomic>
#include <cmath>
#include <limits>

#include "check/scan.h"
#include "check/test_model.h"

namespace lbrx {
namespace {

using Kind = TensorDiff::Kind;

std::vector<TensorDiff> DiffPaths(const std::string& a, const std::string& b, double tolerance = 0,
                                  unsigned threads = 2) {
  TestOptions test(threads);
  return Diff(OpenForCheck(a), OpenForCheck(b), tolerance, test.options);
}

// What is not equal, by name.
std::map<std::string, TensorDiff> Differing(const std::vector<TensorDiff>& diffs) {
  std::map<std::string, TensorDiff> out;
  for (const TensorDiff& diff : diffs) {
    if (diff.kind != Kind::kEqual) {
      out[diff.name] = diff;
    }
  }
  return out;
}

TEST(Diff, FindsNothingBetweenACheckpointAndItself) {
  const std::string path = LBRX_TEST_DATA "/bard-base";
  const auto diffs = DiffPaths(path, path);
  ASSERT_EQ(diffs.size(), 57U);
  EXPECT_TRUE(Differing(diffs).empty());
  for (size_t i = 1; i < diffs.size(); ++i) {
    EXPECT_TRUE(NaturalLess(diffs[i - 1].name, diffs[i].name));
  }
  EXPECT_EQ(diffs[0].cosine, 1);
  EXPECT_EQ(diffs[0].label_a, "bf16");
}

TEST(Diff, TellsWhatIsMissingReshapedAndChanged) {
  const TempDir a;
  const TempDir b;
  TestModel model;
  model.Write(a);
  model.tensors.erase("model.layers.1.mlp.up_proj.weight");
  model.Add("model.layers.10.mlp.up_proj.weight", {96, 64});
  model.Add("model.layers.0.self_attn.k_proj.weight", {16, 64});
  model.SetElement("model.norm.weight", 5, 3);
  model.Write(b);

  const auto found = Differing(DiffPaths(a.path(), b.path()));
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found.at("model.layers.1.mlp.up_proj.weight").kind, Kind::kOnlyA);
  EXPECT_EQ(found.at("model.layers.10.mlp.up_proj.weight").kind, Kind::kOnlyB);
  const TensorDiff& shape = found.at("model.layers.0.self_attn.k_proj.weight");
  EXPECT_EQ(shape.kind, Kind::kShape);
  EXPECT_EQ(shape.shape_a, Shape({32, 64}));
  EXPECT_EQ(shape.shape_b, Shape({16, 64}));
  EXPECT_EQ(found.at("model.norm.weight").kind, Kind::kDiffers);
}

TEST(Diff, MeasuresTheDifferenceAndObeysTheTolerance) {
  const TempDir folder;
  WriteTensors(folder / "a.safetensors", {{"x", F32Tensor({2, 2}, {1, 2, 3, 4})}});
  WriteTensors(folder / "b.safetensors", {{"x", F32Tensor({2, 2}, {1, 2.5F, 3, 3})}});
  const std::string a = folder / "a.safetensors";
  const std::string b = folder / "b.safetensors";
  const TensorDiff diff = DiffPaths(a, b)[0];
  EXPECT_EQ(diff.kind, Kind::kDiffers);
  EXPECT_EQ(diff.max_difference, 1);
  EXPECT_DOUBLE_EQ(diff.rmse, std::sqrt(1.25 / 4));
  EXPECT_DOUBLE_EQ(diff.cosine, 27 / std::sqrt(30 * 25.25));
  EXPECT_EQ(DiffPaths(a, b, 0.99)[0].kind, Kind::kDiffers);
  EXPECT_EQ(DiffPaths(a, b, 1)[0].kind, Kind::kEqual);
}

TEST(Diff, ComparesValuesAcrossTypesAndSchemes) {
  const TempDir quantized;
  const TempDir plain;
  TestModel model;
  model.Write(plain);
  model.Quantize("lm_head.weight", std::vector<float>(128, 0.25F));
  model.config.Set("quantization", ParseJson(R"({"group_size": 64, "bits": 4})", ""));
  model.Write(quantized);
  auto found = Differing(DiffPaths(quantized.path(), plain.path()));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.begin()->second.label_a, "4bit/64");
  EXPECT_EQ(found.begin()->second.label_b, "bf16");

  // All codes are 3: 3 * 0.25 - 0.5, here as f32.
  TestModel decoded;
  decoded.tensors["lm_head.weight"] =
      F32Tensor({128, 64}, std::vector<float>(size_t{128} * 64, 0.25F));
  decoded.Write(plain);
  found = Differing(DiffPaths(quantized.path(), plain.path()));
  EXPECT_TRUE(found.empty()) << found.begin()->first;
}

TEST(Diff, KeepsIntegersApartThatF32WouldMerge) {
  const TempDir folder;
  WriteTensors(folder / "a.safetensors",
               {{"c", {DType::kC64, {1}, BytesOf<float>({1, 2})}},
                {"i", {DType::kI32, {2}, BytesOf<int32_t>({16777216, 5})}}});
  WriteTensors(folder / "b.safetensors",
               {{"c", {DType::kC64, {1}, BytesOf<float>({1, 3})}},
                {"i", {DType::kI32, {2}, BytesOf<int32_t>({16777217, 5})}}});
  const auto diffs = DiffPaths(folder / "a.safetensors", folder / "b.safetensors");
  EXPECT_EQ(diffs[0].max_difference, std::numeric_limits<double>::infinity());
  EXPECT_EQ(diffs[1].kind, Kind::kDiffers);
  EXPECT_EQ(diffs[1].max_difference, 1);
}

TEST(Diff, TakesTheEmbeddingForATiedHead) {
  const TempDir a;
  const TempDir b;
  TestModel model;
  model.tensors["lm_head.weight"] = model.tensors["model.embed_tokens.weight"];
  model.config.Set("tie_word_embeddings", true);
  model.Write(a);
  model.tensors.erase("lm_head.weight");
  model.Write(b);
  EXPECT_TRUE(Differing(DiffPaths(a.path(), b.path())).empty());

  model.config.Set("tie_word_embeddings", false);
  model.Write(b);
  const auto found = Differing(DiffPaths(a.path(), b.path()));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.at("lm_head.weight").kind, Kind::kOnlyA);
}

TEST(Diff, PassesOverDerivedDataThatOneSideLacks) {
  const TempDir a;
  const TempDir b;
  TestModel model;
  model.Write(a);
  model.tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = F32Tensor({2}, {1, 0.5F});
  model.Write(b);
  EXPECT_TRUE(Differing(DiffPaths(a.path(), b.path())).empty());
}

TEST(Diff, GivesTheSameFiguresOnAnyNumberOfThreads) {
  const TempDir folder;
  const uint64_t count = 2 * kBandElements + 4321;
  WriteTensors(folder / "a.safetensors", {{"x", F32Tensor({count}, TestValues(count, 1))}});
  WriteTensors(folder / "b.safetensors", {{"x", F32Tensor({count}, TestValues(count, 2))}});
  const TensorDiff one = DiffPaths(folder / "a.safetensors", folder / "b.safetensors", 0, 1)[0];
  const TensorDiff many = DiffPaths(folder / "a.safetensors", folder / "b.safetensors", 0, 5)[0];
  EXPECT_EQ(many.max_difference, one.max_difference);
  EXPECT_EQ(many.rmse, one.rmse);
  EXPECT_EQ(many.cosine, one.cosine);
  // Two independent uniform variables on [-1, 1): the difference has variance 2/3.
  EXPECT_NEAR(one.rmse, std::sqrt(2.0 / 3), 0.005);
  EXPECT_NEAR(one.cosine, 0, 0.01);
}

TEST(Diff, ReportsTheBytesOfBothSides) {
  const TempDir a;
  const TempDir b;
  TestModel model;
  model.Write(a);
  model.Add("model.layers.0.mlp.up_proj.weight", {95, 64});
  model.tensors.erase("model.norm.weight");
  model.Write(b);
  const Checkpoint of_a = OpenForCheck(a.path());
  const Checkpoint of_b = OpenForCheck(b.path());
  std::atomic<uint64_t> bytes = 0;
  TestOptions test;
  test.options.advance = [&](uint64_t more) { bytes += more; };
  Diff(of_a, of_b, 0, test.options);
  EXPECT_EQ(bytes, Summarize(of_a).bytes + Summarize(of_b).bytes);
}

}  // namespace
}  // namespace lbrx
