// No bit of a merge depends on how the tensor is walked over, nor on the CPU.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "core/base/cpu.h"
#include "merge/methods/methods.h"
#include "merge/methods/test_kernel_runs.h"
#include "merge/methods/test_random_inputs.h"

namespace lbrx {
namespace {

using testing::Floats;
using testing::Merge;
using testing::MergeInputs;
using testing::RandomInputs;
using testing::Settings;
using testing::TensorWith;
using testing::Walk;

struct Case {
  std::string name;
  const MergeMethod* method;
  size_t members;
  bool base;
  Settings parameters;
  Settings of_each_member;
  MergeRounding rounding = MergeRounding::kNone;
};

std::vector<Case> Cases() {
  const Settings weight = {{"weight", 0.7}};
  const Settings rows = {{"nuslerp_flatten", 0}};
  const Settings columns = {{"nuslerp_flatten", 0}, {"nuslerp_row_wise", 1}};
  std::vector<Case> cases = {
      {"Linear", &kLinear, 3, false, {}, weight},
      {"Passthrough", &kPassthrough, 1, false, {}, {{"scale", 0.3}}},
      {"Slerp", &kSlerp, 1, true, {{"t", 0.3}}, {}},
      {"Nuslerp", &kNuslerp, 2, false, {}, weight},
      {"NuslerpDeltas", &kNuslerp, 2, true, {}, weight},
      {"NuslerpRows", &kNuslerp, 2, true, rows, weight},
      {"NuslerpColumns", &kNuslerp, 2, true, columns, weight},
      {"Multislerp", &kMultislerp, 3, true, {}, weight},
      {"Karcher", &kKarcher, 3, false, {}, {}},
      {"ModelStock", &kModelStock, 3, true, {}, {}},
      {"ModelStockRows", &kModelStock, 3, true, {{"filter_wise", 1}}, {}},
      {"Nearswap", &kNearswap, 1, true, {{"t", 0.2}}, {}},
      {"ArceeFusion", &kArceeFusion, 1, true, {}, {}},
  };
  for (size_t i = 0, exact = cases.size(); i < exact; ++i) {
    Case rounded = cases[i];
    rounded.name += i % 2 == 0 ? "BF16" : "F16";
    rounded.rounding = i % 2 == 0 ? MergeRounding::kBF16 : MergeRounding::kF16;
    cases.push_back(rounded);
  }
  return cases;
}

class BasicWalkTest : public ::testing::TestWithParam<Case> {
 protected:
  ~BasicWalkTest() override { ForceSimdTarget(0); }

  static Floats Run(const MergeInputs& inputs, const Walk& walk) {
    const Case& test = GetParam();
    MergeTensor tensor = TensorWith(*test.method, test.parameters,
                                    std::vector<Settings>(test.members, test.of_each_member));
    tensor.rounding = test.rounding;
    tensor.compat = test.rounding != MergeRounding::kNone;
    return Merge(*test.method, tensor, inputs, walk);
  }

  static void ExpectSameBits(const Floats& a, const Floats& b, const std::string& what) {
    ASSERT_EQ(a.size(), b.size());
    EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(float)), 0) << what;
  }
};

TEST_P(BasicWalkTest, GivesTheSameBits) {
  for (const Shape& shape : {Shape{11}, Shape{37, 53}, Shape{700, 800}}) {
    const MergeInputs inputs = RandomInputs(shape, GetParam().members, GetParam().base);
    const Floats expected = Run(inputs, {.tile = 4096});
    ExpectSameBits(expected, Run(inputs, {.tile = 1003, .backwards = true}), "backwards");
    ExpectSameBits(expected, Run(inputs, {.tile = uint64_t{1} << 20, .threads = 3}), "threads");
    for (int64_t target : SupportedSimdTargets()) {
      ForceSimdTarget(target);
      ExpectSameBits(expected, Run(inputs, {.tile = 7001}), SimdTargetName(target));
    }
    ForceSimdTarget(kForceScalar);
    ExpectSameBits(expected, Run(inputs, {.tile = 5000}), "scalar");
    ForceSimdTarget(0);
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, BasicWalkTest, ::testing::ValuesIn(Cases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace lbrx
