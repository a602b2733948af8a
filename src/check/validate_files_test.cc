// The quantization block of config.json, and tokenizer files.
#include "check/test_problems.h"

namespace lbrx {
namespace {

TEST(ValidateFiles, ChecksTheQuantizationBlock) {
  TestModel model;
  model.Quantize("lm_head.weight", std::vector<float>(128, 0.25F));
  model.config.Set("quantization", ParseJson(R"({"group_size": 64, "bits": 4})", ""));
  EXPECT_EQ(Text(ValidateModel(model)), "");

  TestModel entry = model;
  entry.config.Set("quantization", ParseJson(R"({"group_size": 64, "bits": 4,
      "model.layers.7.mlp.up_proj": {"group_size": 32, "bits": 8}})",
                                             ""));
  ExpectOne(ValidateModel(entry), Severity::kWarning, "quantization, model.layers.7.mlp.up_proj",
            {"does not exist"});

  TestModel denied = model;
  denied.config.Set("quantization",
                    ParseJson(R"({"group_size": 64, "bits": 4, "lm_head": false})", ""));
  ExpectOne(ValidateModel(denied), Severity::kError, "quantization, lm_head", {"not quantized"});

  TestModel copy = model;
  copy.config.Set("quantization_config", ParseJson(R"({"group_size": 64, "bits": 8})", ""));
  ExpectOne(ValidateModel(copy), Severity::kWarning, "quantization_config", {"copy"});

  TestModel unused;
  unused.config.Set("quantization", ParseJson(R"({"group_size": 64, "bits": 4})", ""));
  ExpectOne(ValidateModel(unused), Severity::kWarning, "quantization", {"no tensor is quantized"});
}

TEST(ValidateFiles, ReportsUndeclaredQuantizationOnce) {
  TestModel model;
  model.Quantize("lm_head.weight", std::vector<float>(128, 0.25F));
  const auto problems = ValidateModel(model);
  ASSERT_EQ(problems.size(), 1U) << Text(problems);
  EXPECT_EQ(problems[0].severity, Severity::kError);
  EXPECT_EQ(problems[0].detail.object, "lm_head.scales");

  TestModel wrong = model;  // bits that do not fit
  wrong.config.Set("quantization", ParseJson(R"({"group_size": 64, "bits": 8})", ""));
  const auto misfit = ValidateModel(wrong);
  ASSERT_FALSE(misfit.empty());
  EXPECT_EQ(misfit[0].detail.object, "lm_head.weight");
}

TEST(ValidateFiles, RefusesWeightsOfIntegers) {
  TestModel model;
  model.tensors["lm_head.weight"] = {DType::kI8, {128, 64}, std::string(size_t{128} * 64, 1)};
  ExpectOne(ValidateModel(model), Severity::kError, "lm_head.weight",
            {"expected a floating type", "found I8"});
}

TEST(ValidateFiles, ComparesTheTokenizerWithTheEmbedding) {
  const TestModel model;
  const std::string fits =
      R"({"added_tokens": [{"id": 127, "content": "x"}], "model": {"vocab": {"a": 0, "b": 5}}})";
  EXPECT_EQ(Text(ValidateModel(model, fits)), "");
  const std::string added =
      R"({"added_tokens": [{"id": 130, "content": "x"}], "model": {"vocab": {"a": 0}}})";
  ExpectOne(ValidateModel(model, added), Severity::kWarning, "vocabulary",
            {"expected at most 128 token ids", "found 131 token ids"});
  const std::string words = R"({"model": {"vocab": {"a": 0, "b": 128}}})";
  ExpectOne(ValidateModel(model, words), Severity::kWarning, "vocabulary", {"found 129 token ids"});
  std::string unigram = R"({"model": {"vocab": [["a", 0])";
  for (int i = 0; i < 199; ++i) {
    unigram += R"(, ["b", -1.5])";
  }
  ExpectOne(ValidateModel(model, unigram + "]}}"), Severity::kWarning, "vocabulary",
            {"found 200 token ids"});
  ExpectOne(ValidateModel(model, R"({"model": )"), Severity::kError, "", {"tokenizer.json"});
}

TEST(ValidateFiles, NamesFilesThatStandInPlaceOfOthers) {
  const TestModel model;
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n";
  ExpectOne(ValidateModel(model, pointer), Severity::kError, "",
            {"Git LFS pointer", "git lfs pull"});
  ExpectOne(ValidateModel(model, "<!DOCTYPE html><html>"), Severity::kError, "",
            {"tokenizer.json", "HTML page", "hf download"});

  const TempDir folder;
  model.Write(folder);
  WriteTestFile(folder / "generation_config.json", "{\"a\": 1,}");
  WriteTestFile(folder / "tokenizer.model", pointer);
  WriteTestFile(folder / "chat_template.jinja", "");
  TestOptions test;
  const auto problems = Validate(OpenForCheck(folder.path()), false, test.options);
  ASSERT_EQ(problems.size(), 2U) << Text(problems);
  EXPECT_EQ(problems[0].detail.file, folder / "generation_config.json");
  EXPECT_EQ(problems[1].detail.file, folder / "tokenizer.model");
}

TEST(ValidateFiles, WarnsOfFarFewerTokensThanRows) {
  TestModel model;
  model.Add("model.embed_tokens.weight", {3000, 64});
  model.Add("lm_head.weight", {3000, 64});
  model.config.Set("vocab_size", 3000);
  ExpectOne(ValidateModel(model, R"({"model": {"vocab": {"a": 1000}}})"), Severity::kWarning,
            "vocabulary", {"3000 rows", "1001 token ids"});
  EXPECT_EQ(Text(ValidateModel(model, R"({"model": {"vocab": {"a": 2100}}})")), "")
      << "padding to the next 1024";
}

TEST(ValidateFiles, WarnsOfTokenIdsWithoutARow) {
  TestModel model;
  model.config.Set("eos_token_id", ParseJson("[5, 128]", ""));
  model.config.Set("pad_token_id", -1);
  ExpectOne(ValidateModel(model), Severity::kWarning, "eos_token_id",
            {"less than 128", "found 128"});
}

}  // namespace
}  // namespace lbrx
