// The basic methods against mergekit 0.1.5's results: tests/data/merge/README.md.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "merge/methods/methods.h"
#include "merge/methods/test_goldens.h"
#include "merge/methods/test_kernel_runs.h"

namespace lbrx {
namespace {

using testing::Contains;
using testing::ExpectLike;
using testing::Gradient;
using testing::LayerOf;
using testing::Merge;
using testing::MergeInputs;
using testing::ModelTensor;
using testing::ReadExpected;
using testing::ReadModel;
using testing::Settings;
using testing::TensorWith;
using testing::TinyJson;

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

class GoldenBasicTest : public ::testing::TestWithParam<Golden> {};

TEST_P(GoldenBasicTest, GivesMergekitsTensors) {
  const Golden& golden = GetParam();
  const TinyJson expected = ReadExpected(golden.file);
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
  const TinyJson expected = ReadExpected("passthrough_frankenmerge");
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
