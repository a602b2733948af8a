// The basic methods against mergekit 0.1.5's results: tests/data/merge/README.md.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "formats/checkpoint.h"
#include "merge/methods/kernel_runs.h"
#include "merge/methods/methods.h"
#include "support/tiny_json.h"

namespace lbrx {
namespace {

using testing::Floats;
using testing::Merge;
using testing::MergeInputs;
using testing::Settings;
using testing::TensorWith;
using testing::TinyJson;

constexpr char kData[] = LBRX_TEST_DATA "/merge/";
constexpr int kLayers = 4;

struct ModelTensor {
  Shape shape;
  Floats values;
};

using Model = std::map<std::string, ModelTensor>;

const Model& ReadModel(const std::string& name) {
  static std::map<std::string, Model> models;
  Model& model = models[name];
  if (model.empty()) {
    const Checkpoint checkpoint = OpenCheckpoint(kData + name);
    for (const StoredArray& array : checkpoint.arrays) {
      std::ifstream file(checkpoint.files[array.file].path, std::ios::binary);
      file.seekg(static_cast<std::streamoff>(array.offset));
      ModelTensor& tensor = model[array.name];
      tensor.shape = array.shape;
      tensor.values.resize(array.shape.elements());
      file.read(reinterpret_cast<char*>(tensor.values.data()),
                static_cast<std::streamsize>(array.bytes));
    }
  }
  return model;
}

// Of "model.layers.2.mlp.up_proj.weight" 2; -1 outside of layers.
int LayerOf(const std::string& name) {
  const size_t at = name.find("layers.");
  return at == std::string::npos ? -1 : std::stoi(name.substr(at + 7));
}

// A value that changes from layer to layer; the first one outside of layers.
double Gradient(const std::vector<double>& values, const std::string& name) {
  const double place =
      std::max(LayerOf(name), 0) / (kLayers - 1.0) * static_cast<double>(values.size() - 1);
  const auto i = static_cast<size_t>(place);
  const double part = place - std::floor(place);
  return (1 - part) * values[i] + part * values[std::min(i + 1, values.size() - 1)];
}

bool Contains(const std::string& name, const char* part) {
  return name.find(part) != std::string::npos;
}

struct Golden {
  std::string file;
  const MergeMethod* method;
  std::vector<std::string> members;
  std::string base;  // empty: none
  std::function<Settings(const std::string& tensor)> parameters;
  std::vector<std::function<Settings(const std::string& tensor)>> of_members;
  double norm_tolerance = 1e-5;
};

// arcee_fusion's KL of rows is so small that most of mergekit's figure is what float32 rounds: to a
// thousandth of it. Values next to the threshold fall on either side: mergekit itself, with another
// build of torch, misses its own norms by up to 1.7e-4.
constexpr double kThresholdTolerance = 2e-4;

std::function<Settings(const std::string&)> Always(const Settings& settings) {
  return [settings](const std::string& /*tensor*/) { return settings; };
}

std::function<Settings(const std::string&)> Weight(double weight) {
  return Always({{"weight", weight}});
}

Settings LinearGradientOfA(const std::string& name) {
  return {{"weight", Contains(name, "mlp") ? Gradient({0, 0.5, 1}, name) : 0.4}};
}

Settings LinearGradientOfB(const std::string& name) {
  return {{"weight", Gradient({1.0, 0.2}, name)}};
}

Settings SlerpGradient(const std::string& name) {
  if (Contains(name, "self_attn")) {
    return {{"t", Gradient({0, 0.5, 0.3, 0.7, 1}, name)}};
  }
  return {{"t", Contains(name, "mlp") ? Gradient({1, 0.5, 0.7, 0.3, 0}, name) : 0.5}};
}

std::vector<Golden> Goldens() {
  const auto nothing = Always({});
  const auto weights = std::vector{Weight(0.7), Weight(0.4)};
  return {
      {"linear", &kLinear, {"a", "b"}, "", nothing, {Weight(0.3), Weight(0.9)}},
      {"linear_gradient",
       &kLinear,
       {"a", "b"},
       "",
       nothing,
       {LinearGradientOfA, LinearGradientOfB}},
      {"linear_unnormalized",
       &kLinear,
       {"a", "b"},
       "",
       Always({{"normalize", 0}}),
       {Weight(0.3), Weight(0.9)}},
      {"slerp", &kSlerp, {"b"}, "a", SlerpGradient, {nothing}},
      {"slerp_base", &kSlerp, {"c"}, "base", Always({{"t", 0.35}}), {nothing}},
      {"nuslerp", &kNuslerp, {"a", "b"}, "", nothing, weights},
      {"nuslerp_base_rows",
       &kNuslerp,
       {"a", "b"},
       "base",
       Always({{"nuslerp_flatten", 0}}),
       weights},
      {"multislerp", &kMultislerp, {"a", "b"}, "base", nothing, weights},
      {"karcher",
       &kKarcher,
       {"a", "b"},
       "",
       Always({{"max_iter", 20}, {"tol", 1e-6}}),
       {nothing, nothing}},
      {"model_stock", &kModelStock, {"a", "b", "c"}, "base", nothing, {nothing, nothing, nothing}},
      {"model_stock_rows",
       &kModelStock,
       {"a", "b", "c"},
       "base",
       Always({{"filter_wise", 1}}),
       {nothing, nothing, nothing}},
      {"nearswap", &kNearswap, {"a"}, "base", Always({{"t", 0.01}}), {nothing}},
      {"arcee_fusion", &kArceeFusion, {"a"}, "base", nothing, {nothing}, kThresholdTolerance},
  };
}

void ExpectLike(const TinyJson& expected, const ModelTensor& merged, const std::string& what,
                double norm_tolerance = 1e-5) {
  double squares = 0;
  float largest = 0;
  for (float value : merged.values) {
    squares += static_cast<double>(value) * value;
    largest = std::max(largest, std::abs(value));
  }
  const double norm = std::stod(expected["l2"].text);
  EXPECT_NEAR(std::sqrt(squares), norm, norm_tolerance * norm) << what;
  for (size_t i = 0; i < 64; ++i) {
    const float value = merged.values[i * merged.values.size() / 64];
    EXPECT_NEAR(value, std::stod(expected["sample"][i].text), 1e-5 * largest) << what << " " << i;
  }
}

class GoldenBasicTest : public ::testing::TestWithParam<Golden> {};

TEST_P(GoldenBasicTest, GivesMergekitsTensors) {
  const Golden& golden = GetParam();
  const TinyJson expected = TinyJson::FromFile(kData + golden.file + ".expected.json");
  EXPECT_EQ(expected.members.size(), 38U);
  for (const auto& [name, figures] : expected.members) {
    MergeInputs inputs;
    for (const std::string& member : golden.members) {
      inputs.members.push_back(ReadModel(member).at(name).values);
      inputs.shape = ReadModel(member).at(name).shape;
    }
    if (!golden.base.empty()) {
      inputs.base = ReadModel(golden.base).at(name).values;
    }
    std::vector<Settings> of_members;
    for (const auto& settings : golden.of_members) {
      of_members.push_back(settings(name));
    }
    MergeTensor tensor = TensorWith(*golden.method, golden.parameters(name), of_members);
    tensor.name = name;
    ExpectLike(figures, {inputs.shape, Merge(*golden.method, tensor, inputs)}, name,
               golden.norm_tolerance);
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, GoldenBasicTest, ::testing::ValuesIn(Goldens()),
                         [](const auto& info) { return info.param.file; });

// Layers 0-2 of a, then 1-3 of b with some tensors halved.
TEST(GoldenFrankenmergeTest, GivesMergekitsTensors) {
  const TinyJson expected =
      TinyJson::FromFile(std::string(kData) + "passthrough_frankenmerge.expected.json");
  EXPECT_EQ(expected.members.size(), 56U);
  for (const auto& [name, figures] : expected.members) {
    const int layer = LayerOf(name);
    const bool second = layer >= 3 || name == "model.norm.weight";
    std::string source = name;
    if (layer >= 3) {
      source.replace(name.find(std::to_string(layer)), 1, std::to_string(layer - 2));
    }
    const bool halved = second && (Contains(name, "o_proj") || Contains(name, "down_proj"));
    const ModelTensor& of = ReadModel(second ? "b" : "a").at(source);
    const MergeTensor tensor =
        TensorWith(kPassthrough, {}, {halved ? Settings{{"scale", 0.5}} : Settings{}});
    ExpectLike(figures, {of.shape, Merge(kPassthrough, tensor, {of.shape, {of.values}, {}})}, name);
  }
}

}  // namespace
}  // namespace lbrx
