#include <algorithm>

#include "check/test_problems.h"
#include "model/architecture.h"

namespace lbrx {
namespace {

TEST(Validate, FindsNothingInSoundModels) {
  EXPECT_EQ(Text(ValidateModel(TestModel())), "");
  TestOptions test;
  EXPECT_EQ(Text(Validate(OpenForCheck(LBRX_TEST_DATA "/bard-base"), true, test.options)), "");
}

// A model of every architecture, as transformers wrote it.
TEST(Validate, FindsNothingInAModelOfEachArchitecture) {
  TestOptions test;
  for (const Architecture* architecture : Architectures()) {
    const std::string path = LBRX_TEST_DATA "/arch/" + std::string(architecture->name);
    EXPECT_EQ(Text(Validate(OpenForCheck(path), true, test.options)), "") << architecture->name;
  }
}

TEST(Validate, NamesEveryTensorThatContradictsTheConfig) {
  TestModel model;
  model.config.Set("intermediate_size", 80);
  const auto problems = ValidateModel(model);
  ASSERT_EQ(problems.size(), 6U) << Text(problems);
  EXPECT_EQ(problems[0].detail.object, "model.layers.0.mlp.down_proj.weight");
  EXPECT_EQ(problems[0].detail.expected, "[64, 80] (hidden_size, intermediate_size)");
  EXPECT_EQ(problems[0].detail.found, "[64, 96]");
  EXPECT_TRUE(std::all_of(problems.begin(), problems.end(),
                          [](const Problem& p) { return p.severity == Severity::kError; }));
}

TEST(Validate, ChecksHeadsAndVocabulary) {
  TestModel model;
  model.config.Set("num_key_value_heads", 1);
  EXPECT_EQ(ValidateModel(model).size(), 4U) << "k and v of two layers";

  TestModel heads;
  heads.config.Set("head_dim", 8);
  EXPECT_EQ(ValidateModel(heads).size(), 8U) << "q, k, v, o of two layers";

  TestModel vocabulary;
  vocabulary.config.Set("vocab_size", 129);
  const auto problems = ValidateModel(vocabulary);
  ASSERT_EQ(problems.size(), 2U) << Text(problems);
  EXPECT_EQ(problems[0].detail.object, "lm_head.weight");
  EXPECT_EQ(problems[1].detail.object, "model.embed_tokens.weight");
  EXPECT_EQ(problems[1].detail.expected, "[129, 64] (vocab_size, hidden_size)");
}

TEST(Validate, ChecksBiasesAndNorms) {
  TestModel model;
  model.config.Set("model_type", "qwen2");
  for (const std::string layer : {"0", "1"}) {
    model.Add("model.layers." + layer + ".self_attn.q_proj.bias", {64});
    model.Add("model.layers." + layer + ".self_attn.k_proj.bias", {32});
  }
  EXPECT_EQ(Text(ValidateModel(model)), "");
  model.Add("model.layers.1.self_attn.k_proj.bias", {31});
  ExpectOne(ValidateModel(model), Severity::kError, "model.layers.1.self_attn.k_proj.bias",
            {"expected [32]", "found [31]"});
  model.tensors.erase("model.layers.1.self_attn.k_proj.bias");
  ExpectOne(ValidateModel(model), Severity::kError, "model.layers.1.self_attn.k_proj.bias",
            {"missing"});
  TestModel norm;
  norm.Add("model.norm.weight", {63});
  ExpectOne(ValidateModel(norm), Severity::kError, "model.norm.weight", {"[64] (hidden_size)"});
}

TEST(Validate, ReportsUnusableConfigNumbers) {
  TestModel model;
  model.config.Set("num_attention_heads", "four");
  auto problems = ValidateModel(model);
  ASSERT_FALSE(problems.empty());
  EXPECT_EQ(problems[0].detail.object, "num_attention_heads");
  EXPECT_EQ(problems[0].detail.found, "\"four\"");

  TestModel zero;
  zero.config.Set("num_attention_heads", 0);
  problems = ValidateModel(zero);
  ASSERT_FALSE(problems.empty());
  EXPECT_EQ(problems[0].detail.found, "0");

  TestModel uneven;
  uneven.config.Set("num_key_value_heads", 3);
  EXPECT_EQ(ValidateModel(uneven)[0].detail.object, "num_attention_heads");

  TestModel missing;
  missing.config.Erase("intermediate_size");
  ExpectOne(ValidateModel(missing), Severity::kWarning, "intermediate_size", {"missing"});

  TestModel huge;  // products that overflow are no crash and no match
  huge.config.Set("num_hidden_layers", std::numeric_limits<int64_t>::max());
  ExpectOne(ValidateModel(huge), Severity::kError, "layers 2 to 9223372036854775806",
            {"9223372036854775807 layers"});
}

TEST(Validate, FindsMissingTensorsAndLayers) {
  TestModel tensor;
  tensor.tensors.erase("model.layers.1.mlp.up_proj.weight");
  tensor.tensors.erase("model.norm.weight");
  auto problems = ValidateModel(tensor);
  ASSERT_EQ(problems.size(), 2U) << Text(problems);
  EXPECT_EQ(problems[0].detail.object, "model.norm.weight");
  EXPECT_EQ(problems[1].detail.object, "model.layers.1.mlp.up_proj.weight");

  TestModel layers;
  layers.config.Set("num_hidden_layers", 5);
  layers.AddLayer(3);
  problems = ValidateModel(layers);
  ASSERT_EQ(problems.size(), 2U) << Text(problems);
  EXPECT_EQ(problems[0].detail.object, "layer 2");
  EXPECT_EQ(problems[1].detail.object, "layer 4");
}

TEST(Validate, FindsLayersBeyondAndTensorsUnknown) {
  TestModel model;
  model.AddLayer(2);
  ExpectOne(ValidateModel(model), Severity::kError, "layer 2", {"expected 2 layers", "9 tensors"});
  TestModel unknown;
  unknown.Add("model.layers.0.mlp.router.weight", {4, 64});
  ExpectOne(ValidateModel(unknown), Severity::kWarning, "model.layers.0.mlp.router.weight",
            {"llama"});
}

TEST(Validate, ChecksTheHeadAgainstTheTieFlag) {
  TestModel model;
  model.tensors.erase("lm_head.weight");
  ExpectOne(ValidateModel(model), Severity::kError, "lm_head.weight",
            {"tie_word_embeddings is false"});
  model.config.Erase("tie_word_embeddings");
  ExpectOne(ValidateModel(model), Severity::kError, "lm_head.weight", {"absent", "llama"});
  model.config.Set("tie_word_embeddings", true);
  EXPECT_EQ(Text(ValidateModel(model)), "");
  TestModel both;  // differing values are found by reading only
  both.config.Set("tie_word_embeddings", true);
  EXPECT_EQ(Text(ValidateModel(both)), "");
}

TEST(Validate, WarnsOfAnUnknownArchitectureAndChecksTheRest) {
  TestModel model;
  model.config.Set("model_type", "mamba");
  model.tensors["model.norm.weight"] = F32Tensor({64}, TestValues(64, 1));
  const auto problems = ValidateModel(model);
  ASSERT_EQ(problems.size(), 2U) << Text(problems);
  EXPECT_EQ(problems[0].severity, Severity::kWarning);
  EXPECT_EQ(problems[0].detail.object, "model_type");
  EXPECT_EQ(problems[0].detail.found, "\"mamba\"");
  EXPECT_EQ(problems[1].detail.object, "model.norm.weight");
  EXPECT_EQ(problems[1].detail.found, "BF16 in 20 tensors, F32 in 1 tensor");
}

TEST(Validate, NeedsAConfigInAFolderButNotBesideABareFile) {
  const TempDir folder;
  WriteTensors(folder / "model.safetensors", TestModel().tensors);
  TestOptions test;
  const auto of_folder = Validate(OpenForCheck(folder.path()), false, test.options);
  EXPECT_TRUE(std::any_of(of_folder.begin(), of_folder.end(),
                          [](const Problem& p) { return p.severity == Severity::kError; }));
  const auto of_file = Validate(OpenForCheck(folder / "model.safetensors"), false, test.options);
  ASSERT_EQ(of_file.size(), 1U) << Text(of_file);
  EXPECT_EQ(of_file[0].severity, Severity::kWarning);
}

TEST(Validate, KeepsTheProblemsOfOpening) {
  const TempDir folder;
  TestModel().Write(folder);
  std::string bytes = ReadTestFile(folder / "model.safetensors");
  bytes.resize(bytes.size() - 100);
  WriteTestFile(folder / "model.safetensors", bytes);
  const Checkpoint checkpoint = OpenForCheck(folder.path());
  ASSERT_FALSE(checkpoint.problems.empty());
  TestOptions test;
  const auto problems = Validate(checkpoint, true, test.options);
  EXPECT_EQ(FormatMessage(problems[0].detail), FormatMessage(checkpoint.problems[0].detail));
}

}  // namespace
}  // namespace lbrx
