// The choices against llama-quantize's own: tests/data/make_gguf_mix.py.
#include "quant/gguf/mix.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>
#include <sstream>

#include "core/base/error.h"
#include "quant/gguf/tensor_names.h"
#include "support/tiny_json.h"

namespace lbrx {
namespace {

using testing::TinyJson;

constexpr char kData[] = LBRX_TEST_DATA;

const GgmlType& Type(std::string_view name) {
  return *FindGgmlType(name);
}

// A golden model: facts, and every tensor with the stem and layer of its name.
struct Model {
  MixModel facts;
  std::vector<MixTensor> tensors;  // in the order of writing
  TinyJson json;
};

std::string NameOf(const std::string& stem, int layer) {
  const size_t star = stem.find('*');
  return star == std::string::npos ? stem
                                   : std::string(stem).replace(star, 1, std::to_string(layer));
}

// The layers of a stem, from ranges.
std::vector<int> LayersOf(const TinyJson& entry) {
  std::vector<int> layers;
  for (const TinyJson& range : entry["layers"].items) {
    for (int i = range[0].Int(); i <= range[1].Int(); ++i) {
      layers.push_back(i);
    }
  }
  return layers;
}

Model Load(const std::string& path) {
  Model model{.facts = {}, .tensors = {}, .json = TinyJson::FromFile(path)};
  const TinyJson& facts = model.json["facts"];
  model.facts.architecture = facts["architecture"].text;
  model.facts.layers = static_cast<uint32_t>(facts["layers"].Int());
  model.facts.heads = static_cast<uint32_t>(facts["heads"].Int());
  model.facts.kv_heads = static_cast<uint32_t>(facts["kv_heads"].Int());
  model.facts.experts = static_cast<uint32_t>(facts["experts"].Int());
  for (const auto& [stem, entry] : model.json["stems"].members) {
    Shape shape;
    for (size_t i = entry["ne"].items.size(); i-- > 0;) {
      shape.push_back(static_cast<uint64_t>(entry["ne"][i].Int()));
    }
    for (const int layer : LayersOf(entry)) {
      model.tensors.push_back({NameOf(stem, layer), shape, &Type("F32")});
    }
  }
  std::sort(model.tensors.begin(), model.tensors.end(), [](const MixTensor& a, const MixTensor& b) {
    return GgufTensorOrder()(a.name, b.name);
  });
  return model;
}

// "Q6_K*2 Q4_K" as three types.
std::vector<std::string> Expand(const std::string& runs) {
  std::vector<std::string> out;
  std::istringstream words(runs);
  for (std::string word; words >> word;) {
    const size_t star = word.find('*');
    out.insert(out.end(), star == std::string::npos ? 1 : std::stoul(word.substr(star + 1)),
               word.substr(0, star));
  }
  return out;
}

std::map<std::string, std::string> Expected(const Model& model, const TinyJson& run,
                                            const GgmlType* base) {
  std::map<std::string, std::string> out;
  for (const auto& [stem, entry] : model.json["stems"].members) {
    const std::vector<TinyJson>& kept = model.json["kept"].items;
    const bool is_kept = std::any_of(kept.begin(), kept.end(),
                                     [&s = stem](const TinyJson& k) { return k.text == s; });
    const std::vector<int> layers = LayersOf(entry);
    std::vector<std::string> types(layers.size(),
                                   is_kept || base == nullptr ? "F32" : std::string(base->name));
    if (run["types"].Has(stem)) {
      types = Expand(run["types"][stem].text);
    }
    for (size_t i = 0; i < layers.size(); ++i) {
      out[NameOf(stem, layers[i])] = types.at(i);
    }
  }
  return out;
}

MixOptions OptionsOf(const TinyJson& args, const std::string& file_type, MixModel& facts) {
  MixOptions options;
  options.file_type = &ParseFileType(file_type);
  facts.importance = false;
  for (size_t i = 0; i < args.items.size(); ++i) {
    const std::string& name = args[i].text;
    if (name == "--imatrix") {
      facts.importance = true;
    } else if (name == "--pure") {
      options.pure = true;
    } else if (name == "--leave-output-tensor") {
      options.leave_output = true;
    } else if (name == "--output-tensor-type") {
      options.output_type = &Type(args[++i].text);
    } else if (name == "--token-embedding-type") {
      options.embedding_type = &Type(args[++i].text);
    } else {
      EXPECT_EQ(name, "--tensor-type");
      const std::string& rule = args[++i].text;
      const size_t equals = rule.rfind('=');
      options.rules.push_back({Regex(rule.substr(0, equals)), &Type(rule.substr(equals + 1))});
    }
  }
  return options;
}

bool NeedsImportance(const TypeMix& mix) {
  return std::any_of(mix.choices.begin(), mix.choices.end(),
                     [](const TypeChoice& choice) { return choice.needs_importance; });
}

// What llama-quantize refuses is refused, here or for want of importance weights.
void CheckRefused(const Model& model, const MixOptions& options) {
  try {
    const TypeMix mix = MixTypes(model.facts, options, model.tensors);
    RequireImportance(options, model.tensors, mix, {});
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_FALSE(error.detail().object.empty());
    EXPECT_FALSE(error.detail().advice.empty());
  }
}

void CheckRun(Model& model, const TinyJson& run, const TinyJson& args) {
  const MixOptions options = OptionsOf(args, run["type"].text, model.facts);
  if (run.Has("refused")) {
    CheckRefused(model, options);
    return;
  }
  const TypeMix mix = MixTypes(model.facts, options, model.tensors);
  const auto expected = Expected(model, run, options.file_type->BaseType());
  ASSERT_EQ(mix.choices.size(), model.tensors.size());
  ASSERT_EQ(expected.size(), mix.choices.size());
  for (size_t i = 0; i < mix.choices.size(); ++i) {
    const TypeChoice& choice = mix.choices[i];
    const GgmlType& theirs = Type(expected.at(model.tensors[i].name));
    const uint64_t row = model.tensors[i].shape.back();
    ASSERT_EQ(row % choice.type->block, 0U);
    // A type of the options that does not divide the row passes their --dry-run only.
    const TypeChoice& comparable =
        row % theirs.block == 0 ? choice : TypeChoice{choice.wanted, choice.wanted};
    ASSERT_EQ(comparable.type->name, theirs.name) << model.tensors[i].name;
  }
  if (run.Has("needs_imatrix") && !model.facts.importance) {
    EXPECT_EQ(NeedsImportance(mix), run["needs_imatrix"].text == "true");
  }
  if (run.Has("file_type")) {
    EXPECT_EQ(static_cast<int>(options.file_type->id), run["file_type"].Int());
  }
}

std::vector<std::string> Models() {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(kData) + "/gguf_mix")) {
    out.push_back(entry.path().stem().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

class MixGolden : public ::testing::TestWithParam<std::string> {};

TEST_P(MixGolden, ChoosesAsLlamaQuantize) {
  Model model = Load(std::string(kData) + "/gguf_mix/" + GetParam() + ".json");
  ASSERT_GE(model.json["runs"].items.size(), 30U);
  for (const TinyJson& run : model.json["runs"].items) {
    for (const TinyJson& args : run["args"].items) {
      std::string line = run["type"].text;
      for (const TinyJson& arg : args.items) {
        line += " " + arg.text;
      }
      SCOPED_TRACE(line);
      CheckRun(model, run, args);
    }
  }
}

std::string TestName(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Models, MixGolden, ::testing::ValuesIn(Models()), TestName);

MixOptions OptionsFor(std::string_view file_type) {
  MixOptions options;
  options.file_type = &ParseFileType(file_type);
  return options;
}

std::vector<MixTensor> Tensors(const GgmlType& type) {
  return {{"token_embd.weight", {64, 256}, &type},
          {"blk.0.attn_q.weight", {256, 256}, &type},
          {"blk.0.ffn_down.weight", {256, 96}, &type}};
}

const MixModel kLlama{.architecture = "llama", .layers = 1, .heads = 4, .kv_heads = 4};

TEST(Mix, TellsWhatARowFellBackFrom) {
  const TypeMix mix = MixTypes(kLlama, OptionsFor("q4_k_s"), Tensors(Type("BF16")));
  EXPECT_EQ(mix.choices[1].type, mix.choices[1].wanted);
  EXPECT_EQ(mix.choices[2].wanted->name, "Q4_K");
  EXPECT_EQ(mix.choices[2].type->name, "Q5_0");
}

TEST(Mix, WhatHasItsTypeAlreadyNeedsNoWeights) {
  const TypeMix mix = MixTypes(kLlama, OptionsFor("IQ2_XXS"), Tensors(Type("IQ2_XXS")));
  EXPECT_FALSE(mix.choices[1].needs_importance);
  EXPECT_EQ(mix.choices[1].type->name, "IQ2_XXS");
}

TEST(Mix, AsksForImportanceOfTheTensorsWithout) {
  const MixOptions options = OptionsFor("IQ2_XXS");
  const auto tensors = Tensors(Type("F32"));
  const TypeMix mix = MixTypes(kLlama, options, tensors);
  const auto others = [](const std::string& name) { return name != "blk.0.attn_q.weight"; };
  try {
    RequireImportance(options, tensors, mix, others);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_EQ(error.detail().object, "blk.0.attn_q.weight");
  }
  RequireImportance(options, tensors, mix, [](const std::string&) { return true; });
  RequireImportance(OptionsFor("Q2_K"), tensors, MixTypes(kLlama, OptionsFor("Q2_K"), tensors), {});
}

TEST(Mix, CountsWhatEachRuleDecided) {
  MixOptions options = OptionsFor("Q4_K_M");
  options.rules.push_back({Regex("attn_q"), &Type("Q8_0")});
  options.rules.push_back({Regex("attn"), &Type("Q6_K")});
  options.rules.push_back({Regex("^blk"), &Type("F32")});
  const TypeMix mix = MixTypes(kLlama, options, Tensors(Type("F32")));
  EXPECT_EQ(mix.rule_uses, (std::vector<uint64_t>{1, 0, 1}));
  EXPECT_EQ(mix.choices[1].type->name, "Q8_0");
}

ErrorCode CodeOf(const MixModel& model, const MixOptions& options,
                 const std::vector<MixTensor>& tensors) {
  try {
    MixTypes(model, options, tensors);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kInternal;
}

TEST(Mix, RefusesWhatCannotBeQuantized) {
  EXPECT_EQ(CodeOf(kLlama, OptionsFor("Q4_0"), Tensors(Type("I32"))), ErrorCode::kInvalid);
  MixOptions activations = OptionsFor("Q4_0");
  activations.embedding_type = &Type("Q8_K");
  EXPECT_EQ(CodeOf(kLlama, activations, Tensors(Type("F32"))), ErrorCode::kUsage);
  MixModel experts = kLlama;
  experts.experts = 4;
  EXPECT_EQ(CodeOf(experts, OptionsFor("Q4_0"), {{"ffn_up.weight", {256, 256}, &Type("F32")}}),
            ErrorCode::kInvalid);
  EXPECT_EQ(
      CodeOf(experts, OptionsFor("Q4_0"), {{"blk.1.ffn_up.weight", {256, 256}, &Type("F32")}}),
      ErrorCode::kInvalid);
}

TEST(Mix, CopyKeepsEverything) {
  const TypeMix mix = MixTypes(kLlama, OptionsFor("copy"), Tensors(Type("I32")));
  for (const TypeChoice& choice : mix.choices) {
    EXPECT_EQ(choice.type->name, "I32");
  }
}

}  // namespace
}  // namespace lbrx
