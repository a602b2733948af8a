#include "core/tensor/ops.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/error.h"
#include "core/tensor/convert.h"

namespace lbrx {
namespace {

Tensor Of(DType dtype, const std::vector<double>& values) {
  Tensor out = Tensor::Empty(dtype, Shape{values.size()});
  Convert(DType::kF64, reinterpret_cast<const std::byte*>(values.data()), dtype, out.data(),
          values.size());
  return out;
}

std::vector<double> Values(const Tensor& tensor) {
  std::vector<double> out(tensor.shape().elements());
  Convert(tensor.dtype(), tensor.data(), DType::kF64, reinterpret_cast<std::byte*>(out.data()),
          out.size());
  return out;
}

using Doubles = std::vector<double>;

TEST(OpsTest, ElementwiseRoundsOnceToTheDtype) {
  const Tensor a = Of(DType::kBF16, {1, 256, -3});
  const Tensor b = Of(DType::kBF16, {2, 1, 0.5});
  EXPECT_EQ(Values(Add(a, b)), (Doubles{3, 256, -2.5}));  // 257 is a tie of 256 and 258
  EXPECT_EQ(Values(Multiply(a, b)), (Doubles{2, 256, -1.5}));
  EXPECT_EQ(Values(Scale(a, 0.5)), (Doubles{0.5, 128, -1.5}));
  EXPECT_EQ(Values(Add(Of(DType::kF64, {1}), Of(DType::kF64, {0x1p-52}))), (Doubles{1 + 0x1p-52}));
  EXPECT_EQ(Values(Add(Of(DType::kF32, {1}), Of(DType::kF32, {0x1p-52}))), (Doubles{1}));
}

TEST(OpsTest, SumFollowsTheStatedTree) {
  // Five runs: ((r0 + r1) + (r2 + r3)) + r4.
  std::vector<double> values(4 * 256 + 10);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = std::ldexp(1.0 + static_cast<double>(i % 7), static_cast<int>(i * 37 % 60));
  }
  std::vector<double> runs;
  for (size_t begin = 0; begin < values.size(); begin += 256) {
    double sum = 0;
    for (size_t i = begin; i < std::min(begin + 256, values.size()); ++i) {
      sum += values[i];
    }
    runs.push_back(sum);
  }
  EXPECT_EQ(Sum(Of(DType::kF64, values)), ((runs[0] + runs[1]) + (runs[2] + runs[3])) + runs[4]);
  EXPECT_EQ(Dot(Of(DType::kF64, values), Of(DType::kF64, Doubles(values.size(), 1.0))),
            Sum(Of(DType::kF64, values)));
  EXPECT_EQ(Sum(Of(DType::kF16, {})), 0);
}

TEST(OpsTest, ReductionsOfViews) {
  const Tensor matrix = Of(DType::kF32, {1, 2, 3, 4, 5, 6}).Reshape(Shape{2, 3});
  EXPECT_EQ(Sum(matrix.Slice(1, 0, 1)), 5);
  EXPECT_EQ(Max(matrix.Slice(1, 0, 2)), 5);
  EXPECT_EQ(Min(matrix.Slice(0, 1, 2)), 4);
  EXPECT_EQ(Dot(matrix.Slice(0, 0, 1), matrix.Slice(0, 1, 2)), 32);
}

TEST(OpsTest, ExtremesSeeNaN) {
  std::vector<double> values(600, 1.0);
  values[400] = -7;
  EXPECT_EQ(Min(Of(DType::kF16, values)), -7);
  EXPECT_EQ(Max(Of(DType::kF16, values)), 1);
  values[599] = std::nan("");
  EXPECT_TRUE(std::isnan(Min(Of(DType::kF32, values))));
  EXPECT_TRUE(std::isnan(Max(Of(DType::kF32, values))));
  EXPECT_THROW(Min(Of(DType::kF32, {})), Error);
}

TEST(OpsTest, OperandsMustBeAlike) {
  const Tensor a = Of(DType::kF32, {1, 2});
  EXPECT_THROW(Add(a, Of(DType::kF32, {1})), Error);
  EXPECT_THROW(Add(a, Of(DType::kBF16, {1, 2})), Error);
  EXPECT_THROW(Sum(Tensor::Empty(DType::kI32, Shape{2})), Error);
}

}  // namespace
}  // namespace lbrx
