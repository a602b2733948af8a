#include "check/verify.h"

#include <gtest/gtest.h>

#include <set>

#include "core/base/format.h"
#include "support/checkpoints.h"

namespace lbrx {
namespace {

PlannedTensor Planned(const std::string& name, const Encoding& encoding, const Shape& shape) {
  PlannedTensor tensor;
  tensor.output = OutputTensor(name, encoding, shape);
  return tensor;
}

Plan LayersOf(int layers, const Shape& shape) {
  Plan plan;
  for (int i = 0; i < layers; ++i) {
    for (const char* leaf : {"q_proj", "k_proj", "norm"}) {
      const Encoding encoding = leaf == std::string("norm")
                                    ? Plain(DType::kBF16)
                                    : Affine(i == 3 ? 8 : 4, 64, DType::kBF16);
      plan.tensors.push_back(
          Planned(Format("model.layers.{}.{}.weight", i, leaf), encoding, shape));
    }
  }
  plan.tensors.push_back(Planned("lm_head.weight", Plain(DType::kF16), shape));
  return plan;
}

std::set<std::string> Names(const Plan& plan, const std::vector<size_t>& sample) {
  std::set<std::string> names;
  for (const size_t i : sample) {
    names.insert(plan.tensors[i].output.name);
  }
  return names;
}

TEST(SampleTensors, TakesAllOfAFew) {
  const Plan plan = LayersOf(10, {4, 64});
  EXPECT_EQ(SampleTensors(plan).size(), plan.tensors.size());
}

TEST(SampleTensors, CoversEveryKindAndStopsAtTheLimit) {
  const Plan plan = LayersOf(1000, {4, 64});
  const std::vector<size_t> sample = SampleTensors(plan);
  EXPECT_EQ(sample.size(), kSampleTensors);
  EXPECT_TRUE(std::is_sorted(sample.begin(), sample.end()));
  const std::set<std::string> names = Names(plan, sample);
  EXPECT_EQ(names.size(), sample.size());
  // The only ones of their kind: 8 bits, and the head.
  for (const char* name :
       {"model.layers.3.q_proj.weight", "model.layers.3.k_proj.weight", "lm_head.weight"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

TEST(SampleTensors, StopsAtBytesButNotBeforeEveryKind) {
  const Plan plan = LayersOf(100, {1 << 16, 1 << 16});  // 2.4 GB and more each
  EXPECT_EQ(SampleTensors(plan).size(), 6U);
}

TEST(SampleTensors, DependsOnNamesAlone) {
  const Plan plan = LayersOf(1000, {4, 64});
  Plan reversed = plan;
  std::reverse(reversed.tensors.begin(), reversed.tensors.end());
  EXPECT_EQ(Names(plan, SampleTensors(plan)), Names(reversed, SampleTensors(reversed)));
}

}  // namespace
}  // namespace lbrx
