#include <atomic>
#include <limits>

#include "check/scan.h"
#include "check/test_problems.h"

namespace lbrx {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

std::vector<Problem> ValidateDeep(const TestModel& model, unsigned threads = 2) {
  const TempDir folder;
  model.Write(folder);
  TestOptions test(threads);
  return Validate(OpenForCheck(folder.path()), /*deep=*/true, test.options);
}

TestModel QuantizedHead(const std::vector<float>& scales) {
  TestModel model;
  model.Quantize("lm_head.weight", scales);
  model.config.Set("quantization", ParseJson(R"({"group_size": 64, "bits": 4})", ""));
  return model;
}

TEST(ValidateDeep, FindsNothingInSoundModels) {
  EXPECT_EQ(Text(ValidateDeep(TestModel())), "");
  EXPECT_EQ(Text(ValidateDeep(QuantizedHead(TestValues(128, 3)))), "");
}

TEST(ValidateDeep, CountsNonFiniteValuesAndTellsTheFirst) {
  TestModel model;
  const std::string name = "model.layers.1.mlp.up_proj.weight";
  constexpr uint64_t kRow = 64;
  model.SetElement(name, 10 * kRow + 7, kNan);
  model.SetElement(name, 10 * kRow + 9, kInf);
  model.SetElement(name, 90 * kRow, -kInf);
  const TempDir folder;
  model.Write(folder);
  TestOptions test;
  const Checkpoint checkpoint = OpenForCheck(folder.path());
  const auto problems = Validate(checkpoint, true, test.options);
  ASSERT_EQ(problems.size(), 1U) << Text(problems);
  EXPECT_EQ(problems[0].severity, Severity::kError);
  EXPECT_EQ(problems[0].detail.object, name);
  EXPECT_EQ(problems[0].detail.found, "3 of 6144 non-finite, the first at [10, 7]");
  const StoredArray& array = checkpoint.arrays[checkpoint.Find(name)->planes[0]];
  EXPECT_EQ(problems[0].detail.offset, array.offset + 2 * (10 * kRow + 7));
  EXPECT_TRUE(Validate(checkpoint, false, test.options).empty()) << "nothing without reading";
}

TEST(ValidateDeep, FindsTheFirstInABandOfItsOwn) {
  const TempDir folder;
  const uint64_t count = 3 * kBandElements;
  std::vector<float> values = TestValues(count, 1);
  values[2 * kBandElements + 5] = kNan;
  values[kBandElements + 3] = kNan;
  WriteTensors(folder / "x.safetensors", {{"x", F32Tensor({count}, values)}});
  TestOptions test(3);
  const auto problems = Validate(OpenForCheck(folder / "x.safetensors"), true, test.options);
  ASSERT_EQ(problems.size(), 2U) << Text(problems);  // the first: no config
  EXPECT_EQ(problems[1].detail.found, "2 of 786432 non-finite, the first at [262147]");
}

TEST(ValidateDeep, FindsBadScalesAndNotWhatFollowsFromThem) {
  std::vector<float> scales = TestValues(128, 3);
  scales[100] = kInf;
  const auto problems = ValidateDeep(QuantizedHead(scales));
  ASSERT_EQ(problems.size(), 1U) << Text(problems);
  EXPECT_EQ(problems[0].severity, Severity::kError);
  EXPECT_EQ(problems[0].detail.object, "lm_head.scales");
  EXPECT_EQ(problems[0].detail.found, "1 of 128 non-finite, the first at [100, 0]");
}

TEST(ValidateDeep, FindsValuesThatOverflowInDecoding) {
  std::vector<float> scales(128, 1);
  scales[3] = 3e38F;  // times code 3
  const auto problems = ValidateDeep(QuantizedHead(scales));
  ASSERT_EQ(problems.size(), 1U) << Text(problems);
  EXPECT_EQ(problems[0].detail.object, "lm_head.weight");
  EXPECT_EQ(problems[0].detail.found, "64 of 8192 non-finite, the first at [3, 0]");
  EXPECT_FALSE(problems[0].detail.offset.has_value());
}

TEST(ValidateDeep, WarnsOfZeroScalesAndZeroMatrices) {
  auto problems = ValidateDeep(QuantizedHead(std::vector<float>(128, 0)));
  ASSERT_EQ(problems.size(), 1U) << Text(problems);
  EXPECT_EQ(problems[0].severity, Severity::kWarning);
  EXPECT_EQ(problems[0].detail.object, "lm_head.scales");

  TestModel model;
  std::vector<float> zeros(size_t{96} * 64, 0);
  zeros[77] = -0.0F;
  model.tensors["model.layers.0.mlp.up_proj.weight"] = BF16Tensor({96, 64}, zeros);
  model.tensors["model.norm.weight"] = BF16Tensor({64}, std::vector<float>(64, 0));
  problems = ValidateDeep(model);
  ASSERT_EQ(problems.size(), 1U) << "a vector may be zero: " << Text(problems);
  EXPECT_EQ(problems[0].severity, Severity::kWarning);
  EXPECT_EQ(problems[0].detail.object, "model.layers.0.mlp.up_proj.weight");

  model.SetElement("model.layers.0.mlp.up_proj.weight", 6143, 1e-30F);
  EXPECT_EQ(Text(ValidateDeep(model)), "");
}

TEST(ValidateDeep, WarnsOfMatricesOfTheSameValues) {
  TestModel model;
  model.tensors["model.layers.1.mlp.up_proj.weight"] =
      model.tensors["model.layers.0.mlp.gate_proj.weight"];
  const auto problems = ValidateDeep(model);
  ASSERT_EQ(problems.size(), 1U) << Text(problems);
  EXPECT_EQ(problems[0].severity, Severity::kWarning);
  EXPECT_EQ(problems[0].detail.object, "model.layers.1.mlp.up_proj.weight");
  EXPECT_EQ(problems[0].detail.what, "has the same values as model.layers.0.mlp.gate_proj.weight");
  model.SetElement("model.layers.1.mlp.up_proj.weight", 5000, 0.5F);
  EXPECT_EQ(Text(ValidateDeep(model)), "");
  model.tensors["lm_head.weight"] = model.tensors["model.embed_tokens.weight"];
  EXPECT_EQ(Text(ValidateDeep(model)), "") << "a head may be the embedding";
}

TEST(ValidateDeep, ReadsMicroscalesByTheirMeaning) {
  TestModel model;
  model.tensors["lm_head.weight"] = {DType::kU32, {128, 8}, std::string(size_t{128} * 32, 0x22)};
  std::string scales(size_t{128} * 2, 0x7F);
  model.config.Set("quantization",
                   ParseJson(R"({"group_size": 32, "bits": 4, "mode": "mxfp4"})", ""));
  model.tensors["lm_head.scales"] = {DType::kU8, {128, 2}, scales};
  EXPECT_EQ(Text(ValidateDeep(model)), "");
  scales[5] = static_cast<char>(0xFF);  // E8M0's NaN
  model.tensors["lm_head.scales"].bytes = scales;
  const auto problems = ValidateDeep(model);
  ASSERT_EQ(problems.size(), 1U) << Text(problems);
  EXPECT_EQ(problems[0].detail.object, "lm_head.scales");
  EXPECT_EQ(problems[0].detail.found, "1 of 256 non-finite, the first at [2, 1]");
}

TEST(ValidateDeep, ComparesATiedHeadWithTheEmbedding) {
  TestModel model;
  model.config.Set("tie_word_embeddings", true);
  const auto problems = ValidateDeep(model);
  ASSERT_EQ(problems.size(), 1U) << Text(problems);
  EXPECT_EQ(problems[0].severity, Severity::kWarning);
  EXPECT_EQ(problems[0].detail.object, "lm_head.weight");
  model.tensors["lm_head.weight"] = model.tensors["model.embed_tokens.weight"];
  EXPECT_EQ(Text(ValidateDeep(model)), "");
}

TEST(ValidateDeep, ReportsEveryProblemInTheSameOrderOnAnyNumberOfThreads) {
  TestModel model;
  model.config.Set("vocab_size", 99);
  for (auto& [name, tensor] : model.tensors) {
    model.SetElement(name, tensor.shape.elements() - 1, kNan);
  }
  const auto one = ValidateDeep(model, 1);
  EXPECT_EQ(one.size(), 2 + 21U) << Text(one);
  const auto many = ValidateDeep(model, 4);
  ASSERT_EQ(many.size(), one.size());
  for (size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(many[i].detail.object, one[i].detail.object);
    EXPECT_EQ(many[i].detail.found, one[i].detail.found);
  }
}

TEST(ValidateDeep, ReportsTheBytesOfTheTensorsOnce) {
  const TempDir folder;
  TestModel model = QuantizedHead(TestValues(128, 3));
  model.config.Set("tie_word_embeddings", true);
  model.Write(folder);
  const Checkpoint checkpoint = OpenForCheck(folder.path());
  std::atomic<uint64_t> bytes = 0;
  TestOptions test;
  test.options.advance = [&](uint64_t more) { bytes += more; };
  Validate(checkpoint, true, test.options);
  EXPECT_EQ(bytes, Summarize(checkpoint).bytes);
}

}  // namespace
}  // namespace lbrx
