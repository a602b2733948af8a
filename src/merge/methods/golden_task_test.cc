// The family of task arithmetic against mergekit 0.1.5's results: tests/data/merge/README.md.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "merge/methods/methods.h"
#include "merge/methods/test_goldens.h"
#include "merge/methods/test_value_runs.h"

namespace lbrx {
namespace {

using testing::AsFloats;
using testing::ExpectLike;
using testing::Gradient;
using testing::MergeInputs;
using testing::ReadExpected;
using testing::ReadModel;
using testing::ReadWhole;
using testing::Settings;
using testing::TensorWith;
using testing::TinyJson;
using testing::ValueOf;

struct Golden {
  const MergeMethod* method;
  Settings parameters;
  std::function<std::vector<Settings>(const std::string& tensor)> of_members;
};

std::function<std::vector<Settings>(const std::string&)> Always(
    const std::vector<Settings>& settings) {
  return [settings](const std::string& /*tensor*/) { return settings; };
}

std::vector<Golden> Goldens() {
  const auto thinned =
      Always({{{"weight", 0.5}, {"density", 0.5}}, {{"weight", 0.7}, {"density", 0.6}}});
  const auto crumbs = Always(
      {{{"weight", 0.5}, {"density", 0.8}, {"gamma", 0.05}}, {{"weight", 0.7}, {"density", 0.6}}});
  const auto ranked = Always({{{"weight", 0.5}, {"density", 0.5}, {"epsilon", 0.1}},
                              {{"weight", 0.7}, {"density", 0.6}, {"epsilon", 0.1}}});
  const auto gradient = [](const std::string& name) {
    return std::vector<Settings>{{{"weight", 0.5}, {"density", 0.5}},
                                 {{"weight", 0.7}, {"density", Gradient({0.3, 0.8}, name)}}};
  };
  const auto nothing = Always({{}, {}});
  return {
      {&kTaskArithmetic, {{"lambda", 1.2}}, Always({{{"weight", 0.6}}, {{"weight", -0.2}}})},
      {&kTies, {}, gradient},
      {&kDareLinear, {}, thinned},
      {&kDareTies, {}, thinned},
      {&kBreadcrumbs, {}, crumbs},
      {&kBreadcrumbsTies, {}, crumbs},
      {&kDella, {}, ranked},
      {&kDellaLinear, {}, thinned},
      {&kSce, {{"select_topk", 0.7}}, nothing},
      {&kRam, {}, nothing},
      {&kRamplusTl, {}, nothing},
  };
}

class GoldenTaskTest : public ::testing::TestWithParam<Golden> {};

TEST_P(GoldenTaskTest, GivesMergekitsTensors) {
  const Golden& golden = GetParam();
  const TinyJson expected = ReadExpected(std::string(golden.method->name));
  EXPECT_EQ(expected.members.size(), 38U);
  uint64_t drawn = 0;  // of torch's stream, tensor by tensor in the order of names
  for (const auto& [name, figures] : expected.members) {
    MergeInputs inputs;
    inputs.shape = ReadModel("a").at(name).shape;
    inputs.members = {ReadModel("a").at(name).values, ReadModel("b").at(name).values};
    inputs.base = ReadModel("base").at(name).values;
    MergeTensor tensor = TensorWith(*golden.method, golden.parameters, golden.of_members(name));
    tensor.name = name;
    tensor.shape = inputs.shape;
    tensor.compat = true;
    tensor.seed = 42;
    tensor.stream_position = drawn;
    drawn += golden.method->draws == nullptr ? 0 : golden.method->draws(tensor);
    ExpectLike(figures,
               {inputs.shape, AsFloats(ReadWhole(ValueOf(*golden.method, tensor, inputs)))}, name);
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, GoldenTaskTest, ::testing::ValuesIn(Goldens()),
                         [](const auto& info) { return std::string(info.param.method->name); });

}  // namespace
}  // namespace lbrx
