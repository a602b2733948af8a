#include "merge/config.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "core/base/error.h"
#include "core/text/json.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

Json Expected(const std::string& name) {
  const std::string path = std::string(LBRX_TEST_DATA) + "/merge/" + name;
  return ParseJson(ReadTestFile(path), path);
}

MergeConfig Parse(const std::string& text) {
  return ParseMergeConfig(text, "m.yml");
}

std::string Refused(const std::string& text) {
  try {
    Parse(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid) << text;
    EXPECT_EQ(error.detail().file, "m.yml") << error.what();
    EXPECT_TRUE(error.detail().object.starts_with("line ")) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "accepted: " << text;
  return "";
}

// The only warning that a text gives.
std::string Warned(const std::string& text) {
  const MergeConfig config = Parse(text);
  EXPECT_EQ(config.warnings.size(), 1U) << text;
  EXPECT_THROW(RefuseWarnings(config), Error);
  return config.warnings.empty() ? "" : config.warnings[0].text;
}

const std::string kTwo = "merge_method: linear\nmodels: [{model: a}, {model: b}]\n";

// Values that methods get, against those that mergekit's planner gave to its own.
class Table {
 public:
  Table(const MergeConfig& config, const Json& parameters)
      : config_(config), parameters_(parameters) {}

  // [output tensor, slice, base, t, values of shared parameters, [[model, its tensor, values]]]
  void Expect(const Json::Array& row) const {
    const std::string& tensor = row[0].AsString();
    const MergeSlice& slice = config_.modules[0].slices[row[1].AsUint64()];
    const ParameterScope scope{&config_, &config_.modules[0], &slice};
    const std::optional<ModelRef>& base = BaseModel(config_, slice);
    EXPECT_EQ(base ? ToString(*base) : "", row[2].AsString());
    const double t = row[3].AsDouble();
    for (const auto& [name, value] : row[4].AsObject()) {
      ExpectValue(name, GlobalParameter(scope, name, Type(name), tensor, t), value, tensor);
    }
    ASSERT_EQ(row[5].AsArray().size(), slice.sources.size());
    for (size_t i = 0; i < slice.sources.size(); ++i) {
      const Json::Array& of_model = row[5].AsArray()[i].AsArray();
      const ModelRef& model = slice.sources[i].model;
      EXPECT_EQ(ToString(model), of_model[0].AsString());
      const std::string& input = of_model[1].AsString();
      for (const auto& [name, value] : of_model[2].AsObject()) {
        ExpectValue(name, ModelParameter(scope, name, Type(name), model, input, t), value, input);
      }
    }
  }

 private:
  ParameterType Type(const std::string& name) const {
    const std::map<std::string, ParameterType> types = {{"number", ParameterType::kNumber},
                                                        {"integer", ParameterType::kInteger},
                                                        {"boolean", ParameterType::kBoolean}};
    return types.at(parameters_.Find(name)->AsArray()[0].AsString());
  }

  void ExpectValue(const std::string& name, std::optional<double> found, const Json& expected,
                   const std::string& tensor) const {
    const Json& fallback = parameters_.Find(name)->AsArray()[1];
    if (!found && !fallback.is_null()) {
      found = fallback.AsDouble();
    }
    ASSERT_EQ(found.has_value(), !expected.is_null()) << name << " for " << tensor;
    if (found) {
      EXPECT_EQ(*found, expected.AsDouble()) << name << " for " << tensor;
    }
  }

  const MergeConfig& config_;
  const Json& parameters_;
};

TEST(MergeConfig, ParametersAsMergekitsPlannerResolvesThem) {
  const Json rows = Expected("configs.json");
  size_t tables = 0;
  for (const Json& row : rows.AsArray()) {
    const std::string& name = row.Find("name")->AsString();
    const std::string& text = row.Find("yaml")->AsString();
    if (name == "refused") {
      Refused(text);
      continue;
    }
    SCOPED_TRACE(name);
    const MergeConfig config = Parse(text);
    EXPECT_EQ(config.text, text);
    const Table table(config, *row.Find("parameters"));
    for (const Json& tensor : row.Find("rows")->AsArray()) {
      table.Expect(tensor.AsArray());
    }
    ++tables;
  }
  EXPECT_GE(tables, 26U + 25U);  // those of mergekit's results, and one for each rule
}

TEST(MergeConfig, ModelsAsMergekitReadsThem) {
  const Json rows = Expected("models.json");
  for (const Json& row : rows.AsArray()) {
    const std::string& text = row.AsArray()[0].AsString();
    const std::string yaml = "merge_method: linear\nmodels: [{model: " + text + "}]\n";
    if (row.AsArray()[1].is_string()) {
      Refused(yaml);
      continue;
    }
    const Json::Array& expected = row.AsArray()[1].AsArray();
    const MergeConfig config = Parse(yaml);
    const ModelRef& model = config.modules[0].slices[0].sources[0].model;
    EXPECT_EQ(model.model.path, expected[0].AsString()) << text;
    EXPECT_EQ(model.model.revision, expected[1].AsString()) << text;
    const ModelPath adapter = model.adapter.value_or(ModelPath());
    EXPECT_EQ(adapter.path, expected[2].AsString()) << text;
    EXPECT_EQ(adapter.revision, expected[3].AsString()) << text;
    EXPECT_EQ(model.override_architecture, expected[4].AsString()) << text;
    EXPECT_EQ(ToString(model), expected[5].AsString()) << text;
  }
}

std::string SourceText(const VocabularySource& source) {
  switch (source.choice) {
    case TokenizerChoice::kUnion:
      return "union";
    case TokenizerChoice::kBase:
      return "base";
    case TokenizerChoice::kModel:
      break;
  }
  return ToString(source.model);
}

// [token, kind, model, of_token, of_id, force]
void ExpectToken(const TokenRule& token, const Json::Array& expected, const std::string& context) {
  const char* const kKinds[] = {"default", "model", "model_token", "zero"};
  EXPECT_EQ(token.token, expected[0].AsString()) << context;
  EXPECT_EQ(kKinds[static_cast<int>(token.kind)], expected[1].AsString()) << context;
  EXPECT_EQ(ToString(token.model), expected[2].AsString()) << context;
  EXPECT_EQ(token.of_token.has_value(), !expected[3].is_null()) << context;
  EXPECT_EQ(token.of_id.has_value(), !expected[4].is_null()) << context;
  if (token.of_token) {
    EXPECT_EQ(*token.of_token, expected[3].AsString()) << context;
  }
  if (token.of_id) {
    EXPECT_EQ(*token.of_id, expected[4].AsUint64()) << context;
  }
  EXPECT_EQ(token.force, expected[5].AsBool()) << context;
}

TEST(MergeConfig, TokenizersAsMergekitReadsThem) {
  const Json rows = Expected("tokenizers.json");
  for (const Json& row : rows.AsArray()) {
    const std::string& text = row.AsArray()[0].AsString();
    const std::string yaml = kTwo + "tokenizer: " + text + "\n";
    if (row.AsArray()[1].is_string()) {
      Refused(yaml);
      continue;
    }
    const Json::Array& expected = row.AsArray()[1].AsArray();
    const MergeConfig config = Parse(yaml);
    ASSERT_TRUE(config.tokenizer.has_value()) << text;
    EXPECT_EQ(SourceText(config.tokenizer->source), expected[0].AsString()) << text;
    ASSERT_EQ(config.tokenizer->tokens.size(), expected[1].AsArray().size()) << text;
    for (size_t i = 0; i < config.tokenizer->tokens.size(); ++i) {
      ExpectToken(config.tokenizer->tokens[i], expected[1].AsArray()[i].AsArray(), text);
    }
    EXPECT_EQ(config.tokenizer->pad_to_multiple_of, expected[2].AsUint64()) << text;
  }
}

TEST(MergeConfig, TopLevel) {
  const std::string text = kTwo +
                           "dtype: torch.bfloat16\nout_dtype: float16\ntokenizer_source: base\n"
                           "chat_template: chatml\nparameters: {weight: 1}\n";
  const MergeConfig config = Parse(text);
  EXPECT_EQ(config.text, text);
  EXPECT_EQ(config.file, "m.yml");
  EXPECT_EQ(config.method, "linear");
  EXPECT_EQ(config.method_position, (YamlPosition{1, 15}));
  EXPECT_EQ(config.form, ConfigForm::kModels);
  EXPECT_EQ(config.dtype, DType::kBF16);
  EXPECT_EQ(config.out_dtype, DType::kF16);
  ASSERT_TRUE(config.tokenizer.has_value());
  EXPECT_EQ(config.tokenizer->source.choice, TokenizerChoice::kBase);
  EXPECT_EQ(config.chat_template, "chatml");
  EXPECT_EQ(config.parameters.at("weight").key, (YamlPosition{7, 14}));
  EXPECT_EQ(config.parameters.at("weight").setting.position(), (YamlPosition{7, 22}));
  EXPECT_TRUE(config.warnings.empty());
  RefuseWarnings(config);
}

TEST(MergeConfig, TheBaseIsAddedToModels) {
  const MergeConfig config = Parse(kTwo + "base_model: base\n");
  const std::vector<MergeSource>& sources = config.modules[0].slices[0].sources;
  ASSERT_EQ(sources.size(), 3U);
  EXPECT_EQ(ToString(sources[2].model), "base");
  EXPECT_TRUE(sources[2].implied);
  EXPECT_FALSE(sources[1].implied);
  EXPECT_EQ(sources[1].layers, std::nullopt);
  EXPECT_EQ(Parse(kTwo + "base_model: b\n").modules[0].slices[0].sources.size(), 2U);
  const std::vector<ModelRef> models = ReferencedModels(config);
  ASSERT_EQ(models.size(), 3U);
  EXPECT_EQ(ToString(models[0]), "base");
  EXPECT_EQ(ToString(models[2]), "b");
}

TEST(MergeConfig, SlicesAndModules) {
  const MergeConfig slices = Parse(
      "merge_method: slerp\nbase_model: base\nslices:\n"
      "- sources: [{model: a, layer_range: [0, '8']}, {model: b, layer_range: [8.0, 16]}]\n");
  EXPECT_EQ(slices.form, ConfigForm::kSlices);
  const std::vector<MergeSource>& sources = slices.modules[0].slices[0].sources;
  ASSERT_EQ(sources.size(), 2U);  // without the base
  EXPECT_EQ(sources[0].layers->end, 8U);
  EXPECT_EQ(sources[1].layers->begin, 8U);
  const MergeConfig modules = Parse(
      "merge_method: passthrough\nmodules:\n"
      "  text_decoder: {slices: [{sources: [{model: v, layer_range: [0, 4]}]}]}\n"
      "  vision_tower: {models: [{model: v}]}\n");
  EXPECT_EQ(modules.form, ConfigForm::kModules);
  ASSERT_EQ(modules.modules.size(), 2U);
  EXPECT_EQ(modules.modules[1].name, "vision_tower");
  EXPECT_EQ(modules.modules[1].slices[0].sources[0].layers, std::nullopt);
}

TEST(MergeConfig, WhatMergekitIgnoresIsWarnedAbout) {
  EXPECT_EQ(Warned(kTwo + "dtyp: float32\n"),
            "line 3, column 1: unknown key dtyp is ignored; did you mean dtype?");
  EXPECT_EQ(
      Warned("merge_method: linear\nmodels: [{model: a, weight: 1}]\n"),
      "line 2, column 21: models[0]: unknown key weight is ignored; a parameter of the method "
      "belongs under parameters");
  EXPECT_EQ(Warned("merge_method: linear\nmodels: [{model: a, parameters: {weight: [{value: 1, "
                   "filtr: mlp}]}}]\n"),
            "line 2, column 54: models[0].parameters.weight[0]: unknown key filtr is ignored; did "
            "you mean filter?");
  EXPECT_NE(Warned("merge_method: linear\nslices: [{residual_weight: 0.5, sources: [{model: a, "
                   "layer_range: [0, 1]}]}]\n")
                .find("residual_weight is accepted and never used"),
            std::string::npos);
  EXPECT_NE(Warned(kTwo + "tokenizer: {source: union, pad: 64}\n").find("unknown key pad"),
            std::string::npos);
  EXPECT_NE(Warned(kTwo + "base_model: {model: a, override_arch: X}\n").find("override_arch"),
            std::string::npos);
  // In the order of the file, and not without end.
  std::string many = kTwo;
  for (int i = 0; i < 1000; ++i) {
    many += "unknown" + std::to_string(i) + ": 1\n";
  }
  const MergeConfig config = Parse(many + "models2: {}\n");
  ASSERT_EQ(config.warnings.size(), 101U);
  EXPECT_EQ(config.warnings[1].position, (YamlPosition{4, 1}));
  EXPECT_NE(config.warnings[100].text.find("901 more"), std::string::npos);
}

TEST(MergeConfig, FilesOfOtherTools) {
  EXPECT_NE(Refused(kTwo + "---\n" + kTwo).find("mergekit-multi"), std::string::npos);
  EXPECT_NE(Refused("base_model: a\nexperts: [{source_model: b}]\n").find("mergekit-moe"),
            std::string::npos);
}

TEST(MergeConfig, WhatCannotBeMeantIsRefused) {
  EXPECT_NE(Refused("merge_method: linear\nmodels: [{model: a}, {model: b}, {model: a}]\n")
                .find("line 2, column 34: models[2]: the model a a second time"),
            std::string::npos);
  const std::string slice = "merge_method: linear\nslices: [{sources: [{model: a, layer_range: ";
  EXPECT_NE(Refused(slice + "[3, 3]}]}]\n").find("a range without layers"), std::string::npos);
  EXPECT_NE(Refused(slice + "[3, 1]}]}]\n").find("layer behind the last"), std::string::npos);
  EXPECT_NE(Refused(slice + "[-1, 3]}]}]\n").find("from 0 on"), std::string::npos);
  EXPECT_NE(Refused(slice + "[0, 2]}, {model: b, layer_range: [0, 3]}]}]\n")
                .find("different numbers of layers"),
            std::string::npos);
  EXPECT_NE(Refused("merge_method: linear\nslices: [{sources: []}]\n").find("without sources"),
            std::string::npos);
  EXPECT_NE(Refused(kTwo + "dtype: bf16\n").find("write bfloat16"), std::string::npos);
  EXPECT_NE(Refused(kTwo + "dtype: flaot32\n").find("did you mean float32?"), std::string::npos);
  EXPECT_NE(Refused(kTwo + "tokenizer_source: model:org/a\n").find("write the path alone"),
            std::string::npos);
  EXPECT_NE(Refused(kTwo + "chat_template: chatlm\n").find("did you mean chatml?"),
            std::string::npos);
  EXPECT_NE(Refused(kTwo + "base_model: a@\n").find("no revision"), std::string::npos);
  EXPECT_NE(Refused(kTwo + "base_model: ''\n").find("without a name"), std::string::npos);
  EXPECT_NE(Refused("merge_method: linear\nmodels: [{model: 2024}]\n").find("put it in quotes"),
            std::string::npos);
  for (const char* source : {"{kind: model_token, model: a}", "{kind: other, model: a}",
                             "{kind: model_token, model: a, token: x, token_id: 1}"}) {
    Refused(kTwo + "tokenizer: {tokens: {x: {source: " + source + "}}}\n");
  }
}

// Text of a file never reaches a terminal or a report as it is.
TEST(MergeConfig, HostileNamesAreEscaped) {
  const std::string warning = Warned(kTwo + "\"\\e[31m\\u202e</script>\": 1\n");
  EXPECT_EQ(warning.find('\x1b'), std::string::npos);
  EXPECT_EQ(warning.find("\u202e"), std::string::npos);
  const std::string message = Refused("merge_method: linear\nmodels: [{model: \"a@\\e[0m@b\"}]\n");
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
}

TEST(MergeConfig, FilesAreReadVerbatim) {
  const TempDir folder;
  const std::string text = "# comment\r\n" + kTwo + "\n\n";
  WriteTestFile(folder / "m.yml", text);
  const MergeConfig config = ReadMergeConfig(folder / "m.yml");
  EXPECT_EQ(config.text, text);
  EXPECT_EQ(config.file, folder / "m.yml");
  EXPECT_THROW(ReadMergeConfig(folder / "none.yml"), Error);
}

}  // namespace
}  // namespace lbrx
