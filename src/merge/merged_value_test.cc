// Merged values: values that are not finite, dtypes, granules, errors in passes.
#include "merge/merged_value.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/tensor/convert.h"
#include "merge/methods/methods.h"
#include "merge/methods/test_random_inputs.h"
#include "merge/methods/test_value_runs.h"

namespace lbrx {
namespace {

using testing::AsFloats;
using testing::Floats;
using testing::HeldValue;
using testing::MergeInputs;
using testing::RandomInputs;
using testing::ReadWhole;
using testing::Settings;
using testing::TensorWith;
using testing::ValueOf;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kHuge = 3e38F;

MergeTensor TiesOf(size_t members, double weight = 0.7) {
  return TensorWith(kTies, {},
                    std::vector<Settings>(members, {{"weight", weight}, {"density", 0.5}}));
}

TEST(MergedValueTest, WhatIsNotFiniteIsRefusedInAPass) {
  MergeInputs inputs = RandomInputs(Shape{300, 4000}, 2, true);
  inputs.members[1][700'000] = kNan;
  inputs.base[5] = kNan;
  const ValuePtr value = ValueOf(kTies, TiesOf(2), inputs);
  EXPECT_THROW(ReadWhole(value, {.threads = 4}), NonFiniteFound);
  EXPECT_THROW(ReadWhole(value), NonFiniteFound);  // and every later reader
  // The engine then counts them, in the inputs.
  NonFiniteTally tally;
  ReadWhole(value, {.run = 100'000, .tally = &tally});
  EXPECT_EQ(tally.count, 2U);
  EXPECT_EQ(tally.first, 5U);
  EXPECT_FALSE(tally.from_cast);
}

TEST(MergedValueTest, AResultThatOverflowsIsRefusedAndCounted) {
  const MergeInputs inputs = {Shape{4}, {{1, kHuge, 1, 1}, {1, kHuge, 2, 1}}, {0, 0, 0, 0}};
  MergeTensor tensor = TensorWith(kTaskArithmetic, {}, {{{"weight", 1}}, {{"weight", 1}}});
  const ValuePtr value = ValueOf(kTaskArithmetic, tensor, inputs);
  EXPECT_THROW(ReadWhole(value), NonFiniteFound);
  NonFiniteTally tally;
  ReadWhole(value, {.tally = &tally});
  EXPECT_EQ(tally.count, 1U);
  EXPECT_EQ(tally.first, 1U);
  EXPECT_TRUE(tally.from_cast);
}

TEST(MergedValueTest, UnderZeroEachIsCountedOnceAndTakenAsZero) {
  MergeInputs inputs = RandomInputs(Shape{100, 100}, 2, true);
  inputs.members[0][17] = kNan;
  NonFiniteTally tally;
  const Floats merged = AsFloats(ReadWhole(ValueOf(kTies, TiesOf(2), inputs),
                                           {.policy = NonFinitePolicy::kZero, .tally = &tally}));
  EXPECT_EQ(tally.count, 1U);
  inputs.members[0][17] = 0;
  EXPECT_EQ(merged, AsFloats(ReadWhole(ValueOf(kTies, TiesOf(2), inputs))));
}

TEST(MergedValueTest, UnderKeepOnlyItsOwnElementSuffers) {
  MergeInputs inputs = RandomInputs(Shape{100, 100}, 2, true);
  inputs.base[17] = kNan;
  const Floats merged = AsFloats(
      ReadWhole(ValueOf(kDareTies, TiesOf(2), inputs), {.policy = NonFinitePolicy::kKeep}));
  for (size_t i = 0; i < merged.size(); ++i) {
    EXPECT_EQ(std::isnan(merged[i]), i == 17) << i;
  }
}

TEST(MergedValueTest, RoundsOnceToItsDtype) {
  const MergeInputs inputs = RandomInputs(Shape{33, 1001}, 2, true);
  const std::vector<std::byte> floats = ReadWhole(ValueOf(kTies, TiesOf(2), inputs));
  for (const DType dtype : {DType::kBF16, DType::kF16}) {
    const ValuePtr value = ValueOf(kTies, TiesOf(2), inputs, dtype);
    EXPECT_EQ(value->dtype(), dtype);
    std::vector<std::byte> expected(floats.size() / 2);
    Convert(DType::kF32, floats.data(), dtype, expected.data(), floats.size() / sizeof(float));
    EXPECT_EQ(ReadWhole(value), expected);
  }
}

// A member of which only whole groups of 96 can be read, and rows of 101.
TEST(MergedValueTest, InputsOfAnyGranule) {
  const MergeInputs inputs = RandomInputs(Shape{960, 101}, 1, true);
  const Floats& member = inputs.members[0];
  const auto* bytes = reinterpret_cast<const std::byte*>(member.data());
  MergeTensor tensor = TensorWith(kDella, {}, {{{"weight", 0.7}, {"density", 0.5}}});
  tensor.shape = inputs.shape;
  tensor.has_base = true;
  const ValuePtr value =
      MergedValue(kDella.make(tensor),
                  {std::make_shared<HeldValue>(
                      DType::kF32, inputs.shape,
                      std::vector<std::byte>(bytes, bytes + member.size() * sizeof(float)), 96)},
                  HeldValue::Of(inputs.shape, inputs.base), "della");
  EXPECT_EQ(value->granule(), 101U);
  EXPECT_EQ(ReadWhole(value), ReadWhole(ValueOf(kDella, tensor, inputs)));
}

// What a run needs does not grow with the tensor, but for a few figures for each piece.
TEST(MergedValueTest, MemoryOfALargeTensorIsSmall) {
  for (const MergeMethod* method : {&kTies, &kDareTies, &kBreadcrumbsTies, &kDella, &kSce}) {
    MergeTensor tensor = TensorWith(*method, {}, std::vector<Settings>(2, {{"weight", 1}}));
    for (MergeParameters& member : tensor.members) {
      member.Set("density", 0.5);
    }
    if (method == &kSce) {
      tensor.parameters.Set("select_topk", 0.5);
    }
    tensor.shape = Shape{uint64_t{5} << 20, 2048};  // 20 GB of BF16
    tensor.has_base = true;
    EXPECT_LT(method->make(tensor)->StateBytes(1), uint64_t{6} << 20) << method->name;
  }
}

}  // namespace
}  // namespace lbrx
