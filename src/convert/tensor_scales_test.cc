#include "convert/tensor_scales.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "stream/constant.h"
#include "stream/rearrange.h"

namespace lbrx {
namespace {

NamedValue Tensor(const std::string& name, std::vector<float> values, const Shape& shape) {
  return {.name = name,
          .value = Reshape(ConstantOf(std::move(values)), shape),
          .stored = nullptr,
          .label = "f32"};
}

std::vector<float> ValuesOf(const NamedValue& tensor) {
  SourceFiles files({});
  Pool pool;
  ReadContext context{files, pool, NonFinitePolicy::kReject, nullptr};
  std::vector<float> out(tensor.value->shape().elements());
  tensor.value->Read(context, 0, out.size(), reinterpret_cast<std::byte*>(out.data()));
  return out;
}

TEST(TensorScalesTest, AreMultipliedIntoTheirTensorsAndLeftOut) {
  Plan plan;
  std::vector<NamedValue> tensors = {
      Tensor("a.weight", {1, 2, 3, 4}, {2, 2}), Tensor("a.scale", {0.5F}, {1}),
      Tensor("a.input_scale", {7}, {1}),        Tensor("b.weight", {1, 2, 3, 4}, {2, 2, 1}),
      Tensor("b.scale", {2, -1}, {2}),          Tensor("other.scale", {9}, {1})};
  ApplyTensorScales(plan, tensors);
  ASSERT_EQ(tensors.size(), 3U);
  EXPECT_EQ(ValuesOf(tensors[0]), (std::vector<float>{0.5F, 1, 1.5F, 2}));
  EXPECT_EQ(ValuesOf(tensors[1]), (std::vector<float>{2, 4, -3, -4}));
  EXPECT_EQ(tensors[2].name, "other.scale");  // of no tensor here
  ASSERT_EQ(plan.notices.size(), 1U);
  EXPECT_NE(plan.notices[0].find("input_scale"), std::string::npos);
}

TEST(TensorScalesTest, OfOneKeepCodes) {
  Plan plan;
  std::vector<NamedValue> tensors = {Tensor("a.weight", {1, 2, 3, 4}, {2, 2}),
                                     Tensor("a.scale", {1}, {1})};
  tensors[0].planes = {ConstantOf({1, 2})};
  ApplyTensorScales(plan, tensors);
  ASSERT_EQ(tensors.size(), 1U);
  EXPECT_EQ(tensors[0].planes.size(), 1U);

  tensors.push_back(Tensor("a.scale", {2}, {1}));
  ApplyTensorScales(plan, tensors);
  EXPECT_TRUE(tensors[0].planes.empty());
}

TEST(TensorScalesTest, OfAnotherSizeAreRefused) {
  Plan plan;
  std::vector<NamedValue> tensors = {Tensor("a.weight", {1, 2, 3, 4}, {2, 2}),
                                     Tensor("a.scale", {1, 2}, {2})};
  try {
    ApplyTensorScales(plan, tensors);
    FAIL() << "took two scales for one matrix";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    EXPECT_NE(std::string(error.what()).find("a.scale"), std::string::npos);
  }
}

}  // namespace
}  // namespace lbrx
