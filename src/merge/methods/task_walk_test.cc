// No bit of the task vector methods depends on how the tensor is walked over, on threads, on the
// length of the runs that are asked for, nor on the CPU.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "core/base/cpu.h"
#include "merge/methods/methods.h"
#include "merge/methods/test_kernel_runs.h"
#include "merge/methods/test_random_inputs.h"
#include "merge/methods/test_value_runs.h"

namespace lbrx {
namespace {

using testing::AsFloats;
using testing::Floats;
using testing::Merge;
using testing::MergeInputs;
using testing::RandomInputs;
using testing::Reading;
using testing::ReadWhole;
using testing::Settings;
using testing::TensorWith;
using testing::ValueOf;
using testing::Walk;

struct Case {
  std::string name;
  const MergeMethod* method;
  Settings parameters;
  Settings of_each_member;
  MergeRounding rounding = MergeRounding::kNone;
  bool compat = false;
};

std::vector<Case> Cases() {
  const Settings thinned = {{"weight", 0.7}, {"density", 0.4}};
  const Settings crumbs = {{"weight", 0.7}, {"density", 0.4}, {"gamma", 0.1}};
  const std::vector<Case> exact = {
      {"TaskArithmetic", &kTaskArithmetic, {{"lambda", 0.9}}, {{"weight", 0.7}}},
      {"Ties", &kTies, {}, thinned},
      {"TiesRescaled", &kTies, {{"rescale", 1}}, thinned},
      {"DareLinear", &kDareLinear, {}, thinned},
      {"DareTies", &kDareTies, {{"normalize", 1}}, thinned},
      {"Breadcrumbs", &kBreadcrumbs, {{"rescale", 1}}, crumbs},
      {"BreadcrumbsTies", &kBreadcrumbsTies, {}, crumbs},
      {"Della", &kDella, {}, thinned},
      {"DellaLinear", &kDellaLinear, {}, thinned},
      {"Sce", &kSce, {{"select_topk", 0.3}}, {}},
      {"SceOfAll", &kSce, {}, {}},
      {"Ram", &kRam, {{"epsilon", 0.2}}, {}},
      {"RamplusTl", &kRamplusTl, {{"epsilon", 0.2}}, {}},
  };
  std::vector<Case> cases;
  for (Case test : exact) {
    cases.push_back(test);
    test.compat = true;
    test.name += "Compat";
    cases.push_back(test);
    test.rounding = cases.size() % 4 == 0 ? MergeRounding::kBF16 : MergeRounding::kF16;
    test.name += cases.size() % 4 == 0 ? "BF16" : "F16";
    cases.push_back(test);
  }
  return cases;
}

class TaskWalkTest : public ::testing::TestWithParam<Case> {
 protected:
  ~TaskWalkTest() override { ForceSimdTarget(0); }

  static MergeTensor Tensor() {
    const Case& test = GetParam();
    MergeTensor tensor =
        TensorWith(*test.method, test.parameters, std::vector<Settings>(3, test.of_each_member));
    tensor.rounding = test.rounding;
    tensor.compat = test.compat;
    tensor.seed = 42;
    return tensor;
  }

  static Floats Read(const MergeInputs& inputs, const Reading& reading) {
    return AsFloats(ReadWhole(ValueOf(*GetParam().method, Tensor(), inputs), reading));
  }

  static void ExpectSameBits(const Floats& a, const Floats& b, const std::string& what) {
    ASSERT_EQ(a.size(), b.size());
    EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(float)), 0) << what;
  }
};

TEST_P(TaskWalkTest, AnyWalkAndAnyCpu) {
  for (const Shape& shape : {Shape{37, 101}, Shape{1}, Shape{1000}, Shape{5, 1}}) {
    const MergeInputs inputs = RandomInputs(shape, 3, true);
    const Floats expected = Merge(*GetParam().method, Tensor(), inputs);
    const auto again = [&](const Walk& walk) {
      return Merge(*GetParam().method, Tensor(), inputs, walk);
    };
    ExpectSameBits(again({.tile = 1}), expected, "tiles of one granule");
    ExpectSameBits(again({.tile = 13}), expected, "odd tiles");
    ExpectSameBits(again({.tile = 1 << 20}), expected, "one tile");
    for (const int64_t target : SupportedSimdTargets()) {
      ForceSimdTarget(target);
      ExpectSameBits(again({}), expected, SimdTargetName(target));
    }
    ForceSimdTarget(kForceScalar);
    ExpectSameBits(again({}), expected, "scalar");
    ForceSimdTarget(0);
  }
}

TEST_P(TaskWalkTest, AnyThreadsAndRuns) {
  const MergeInputs inputs = RandomInputs(Shape{900, 1201}, 3, true);
  const Floats expected = Read(inputs, {.threads = 1, .run = 1 << 20});
  ExpectSameBits(Read(inputs, {.threads = 7, .run = 50'000}), expected, "seven threads");
  ExpectSameBits(Read(inputs, {.threads = 2, .run = 12'345}), expected, "short runs");
}

INSTANTIATE_TEST_SUITE_P(Methods, TaskWalkTest, ::testing::ValuesIn(Cases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace lbrx
