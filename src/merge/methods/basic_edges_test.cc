// The basic methods where their formulas have no answer, and parameters out of range.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "merge/methods/fusion_sample.h"
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

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Floats Scaled(const Floats& values, float factor) {
  Floats out = values;
  for (float& value : out) {
    value *= factor;
  }
  return out;
}

Floats RandomFloats(const Shape& shape) {
  return RandomInputs(shape, 1, false).members[0];
}

std::vector<Settings> Weights(const std::vector<double>& weights) {
  std::vector<Settings> out;
  for (double weight : weights) {
    out.push_back({{"weight", weight}});
  }
  return out;
}

void ExpectNear(const Floats& merged, const Floats& expected, float tolerance = 1e-6F) {
  ASSERT_EQ(merged.size(), expected.size());
  for (size_t i = 0; i < merged.size(); ++i) {
    EXPECT_NEAR(merged[i], expected[i], tolerance) << i;
  }
}

struct EdgeCase {
  std::string name;
  const MergeMethod* method;
  size_t members;
  bool base;
  Settings parameters;
  std::vector<Settings> of_members;
};

std::vector<EdgeCase> EdgeCases() {
  const std::vector<Settings> one(1);
  const std::vector<Settings> three(3);
  return {
      {"Linear", &kLinear, 2, false, {}, Weights({0.3, 0.9})},
      {"Slerp", &kSlerp, 1, true, {{"t", 0.3}}, one},
      {"Nuslerp", &kNuslerp, 2, false, {}, Weights({1, 3})},
      {"NuslerpDeltas", &kNuslerp, 2, true, {}, Weights({1, 3})},
      {"NuslerpRows", &kNuslerp, 2, true, {{"nuslerp_flatten", 0}}, Weights({1, 3})},
      {"NuslerpColumns",
       &kNuslerp,
       2,
       true,
       {{"nuslerp_flatten", 0}, {"nuslerp_row_wise", 1}},
       Weights({1, 3})},
      {"Multislerp", &kMultislerp, 2, false, {}, Weights({1, 3})},
      {"MultislerpDeltas", &kMultislerp, 2, true, {}, Weights({1, 3})},
      {"Karcher", &kKarcher, 3, false, {}, three},
      {"ModelStock", &kModelStock, 3, true, {}, three},
      {"ModelStockRows", &kModelStock, 3, true, {{"filter_wise", 1}}, three},
      {"Nearswap", &kNearswap, 1, true, {{"t", 0.01}}, one},
      {"ArceeFusion", &kArceeFusion, 1, true, {}, one},
  };
}

class BasicEdgesTest : public ::testing::TestWithParam<EdgeCase> {
 protected:
  static Floats MergeSame(const Shape& shape, const Floats& values, MergeRounding rounding) {
    const EdgeCase& test = GetParam();
    MergeInputs inputs{shape, std::vector<Floats>(test.members, values), {}};
    inputs.base = test.base ? values : Floats{};
    MergeTensor tensor = TensorWith(*test.method, test.parameters, test.of_members);
    tensor.rounding = rounding;
    return Merge(*test.method, tensor, inputs);
  }
};

TEST_P(BasicEdgesTest, ModelsThatAgreeGiveThemselves) {
  for (const Shape& shape : {Shape{1}, Shape{9}, Shape{6, 7}, Shape{2, 3, 4}, Shape{}}) {
    const Floats values = RandomFloats(shape);
    ExpectNear(MergeSame(shape, values, MergeRounding::kNone), values);
  }
}

TEST_P(BasicEdgesTest, ZerosGiveZeros) {
  for (const MergeRounding rounding : {MergeRounding::kNone, MergeRounding::kBF16}) {
    for (const Shape& shape : {Shape{5}, Shape{3, 4}}) {
      const Floats zeros(shape.elements());
      EXPECT_EQ(MergeSame(shape, zeros, rounding), zeros);
    }
  }
}

TEST_P(BasicEdgesTest, NothingOfNothing) {
  for (const Shape& shape : {Shape{0}, Shape{0, 4}, Shape{4, 0}}) {
    EXPECT_TRUE(MergeSame(shape, {}, MergeRounding::kNone).empty());
  }
}

// What is not a number must be seen in the result.
TEST_P(BasicEdgesTest, KeepsNan) {
  Floats values = RandomFloats({4, 4});
  values[5] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(MergeSame({4, 4}, values, MergeRounding::kNone)[5]));
}

INSTANTIATE_TEST_SUITE_P(Methods, BasicEdgesTest, ::testing::ValuesIn(EdgeCases()),
                         [](const auto& info) { return info.param.name; });

TEST(OppositeModelsTest, AreMixedInAStraightLine) {
  const Shape shape{3, 50};
  const Floats x = RandomFloats(shape);
  for (float factor : {-1.0F, -2.0F, -0.3F, -1.7F}) {
    const Floats y = Scaled(x, factor);
    const Floats expected = Scaled(x, 0.25F + 0.75F * factor);
    ExpectNear(Merge(kSlerp, TensorWith(kSlerp, {{"t", 0.75}}, {{}}), {shape, {y}, x}), expected);
    for (const Settings& form : {Settings{}, Settings{{"nuslerp_flatten", 0}},
                                 Settings{{"nuslerp_flatten", 0}, {"nuslerp_row_wise", 1}}}) {
      ExpectNear(Merge(kNuslerp, TensorWith(kNuslerp, form, Weights({1, 3})), {shape, {x, y}, {}}),
                 expected);
    }
  }
}

TEST(NuslerpTest, WeightsThatCancelMeanTheMiddle) {
  const Shape shape{10};
  const Floats x = RandomFloats(shape);
  ExpectNear(Merge(kNuslerp, TensorWith(kNuslerp, {}, Weights({1, -1})), {shape, {x, x}, {}}), x);
  const Floats twice = Scaled(x, 2);
  ExpectNear(Merge(kNuslerp, TensorWith(kNuslerp, {}, Weights({1, -1})), {shape, {x, twice}, {}}),
             Scaled(x, 1.5F));
}

TEST(MultislerpTest, OppositeDirections) {
  const Shape shape{40};
  const Floats x = RandomFloats(shape);
  const Floats y = Scaled(x, -1.7F);
  ExpectNear(Merge(kMultislerp, TensorWith(kMultislerp, {}, Weights({1, 1})), {shape, {x, y}, {}}),
             Scaled(x, -0.35F));
  const MergeTensor three = TensorWith(kMultislerp, {}, Weights({1, 1, 2}));
  EXPECT_THROW(Merge(kMultislerp, three, {shape, {x, x, y}, {}}), Error);
}

TEST(MultislerpTest, OneModelIsLeftAsItIs) {
  const Floats x = RandomFloats({40});
  EXPECT_EQ(Merge(kMultislerp, TensorWith(kMultislerp, {}, Weights({-3})), {{40}, {x}, x}), x);
}

TEST(KarcherTest, OppositeDirectionsGiveTheFirst) {
  const Floats x = RandomFloats({40});
  const MergeTensor tensor = TensorWith(kKarcher, {}, {{}, {}});
  ExpectNear(Merge(kKarcher, tensor, {{40}, {x, Scaled(x, -1.7F)}, {}}), Scaled(x, 1.35F));
}

// A model of zeros has no direction, but counts in the mean length.
TEST(KarcherTest, ZerosShortenTheMean) {
  const Floats x = RandomFloats({40});
  const MergeTensor tensor = TensorWith(kKarcher, {}, {{}, {}});
  ExpectNear(Merge(kKarcher, tensor, {{40}, {Floats(40), x}, {}}), Scaled(x, 0.5F));
}

TEST(ModelStockTest, OppositeDeltasGiveTheBase) {
  const Floats base = RandomFloats({40});
  Floats up = base;
  Floats down = base;
  for (size_t i = 0; i < base.size(); ++i) {
    up[i] += 0.25F;
    down[i] -= 0.25F;
  }
  const MergeTensor tensor = TensorWith(kModelStock, {}, {{}, {}});
  ExpectNear(Merge(kModelStock, tensor, {{40}, {up, down}, base}), base);
}

TEST(ArceeFusionTest, TakesWhatIsFarAboveTheRest) {
  // The differences of 0.01 to 0.19 have quartiles 0.05 and 0.15 and median 0.1, so that all of
  // them stay below 0.25 and the last one alone is above.
  Floats base(20);
  Floats x(20);
  for (size_t i = 0; i < 20; ++i) {
    x[i] = 0.01F * static_cast<float>(i + 1);
  }
  x[19] = 0.5F;
  Floats expected = base;
  expected[19] = 0.5F;
  EXPECT_EQ(Merge(kArceeFusion, TensorWith(kArceeFusion, {}, {{}}), {{20}, {x}, base}), expected);
}

// Expected: torch.manual_seed(42); torch.rand(3); torch.sort(torch.randint(1200000, (1000000,))) of
// torch 2.15.
TEST(ArceeFusionTest, SamplesAsTorchDoes) {
  MergeTensor tensor;
  tensor.shape = {1200000};
  tensor.seed = 42;
  tensor.stream_position = 3;
  FusionSample sample(tensor);
  Floats values(1200000);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i);
  }
  sample.See(0, values.data(), 700001);
  sample.See(700001, values.data() + 700001, values.size() - 700001);
  EXPECT_EQ(sample.AtRank(249999), 300006);
  EXPECT_EQ(sample.AtRank(499999), 600071);
  EXPECT_EQ(sample.AtRank(749999), 900735);
  EXPECT_EQ(FusionSample::Words(1000000), 0U);
  EXPECT_EQ(FusionSample::Words(1000001), 1000000U);
  EXPECT_EQ(FusionSample::Words(uint64_t{1} << 28), 2000000U);
}

struct Refused {
  const MergeMethod* method;
  std::string parameter;
  Settings parameters;
  std::vector<Settings> of_members;
};

TEST(BasicParametersTest, OutOfRangeNameTensorAndParameter) {
  const std::vector<Refused> refused = {
      {&kLinear, "weight", {}, Weights({1, kInfinity})},
      {&kLinear, "weight", {}, Weights({1, -1})},
      {&kPassthrough, "scale", {}, {{{"scale", std::nan("")}}}},
      {&kSlerp, "t", {{"t", kInfinity}}, {{}}},
      {&kNuslerp, "weight", {}, Weights({kInfinity, 1})},
      {&kMultislerp, "weight", {}, Weights({1, -1})},
      {&kMultislerp, "eps", {{"eps", -1e-8}}, Weights({1, 1})},
      {&kKarcher, "max_iter", {{"max_iter", -1}}, {{}, {}}},
      {&kKarcher, "max_iter", {{"max_iter", 2.5}}, {{}, {}}},
      {&kKarcher, "tol", {{"tol", -1}}, {{}, {}}},
      {&kNearswap, "t", {{"t", kInfinity}}, {{}}},
  };
  for (const Refused& test : refused) {
    MergeTensor tensor = TensorWith(*test.method, test.parameters, test.of_members);
    tensor.shape = {4};
    tensor.has_base = test.method->base == BaseRole::kRequired;
    try {
      test.method->make(tensor);
      ADD_FAILURE() << test.method->name << " took " << test.parameter;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalid);
      EXPECT_EQ(error.detail().object, tensor.name);
      EXPECT_NE(error.detail().what.find("'" + test.parameter + "'"), std::string::npos)
          << error.what();
    }
  }
}

TEST(BasicParametersTest, ModelStockOfOneIsRefused) {
  MergeTensor tensor = TensorWith(kModelStock, {}, {{}});
  tensor.shape = {4};
  tensor.has_base = true;
  EXPECT_THROW(kModelStock.make(tensor), Error);
}

}  // namespace
}  // namespace lbrx
