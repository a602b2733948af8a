#include "core/tensor/tensor.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <numeric>
#include <vector>

#include "core/base/error.h"
#include "core/tensor/convert.h"

namespace lbrx {
namespace {

// 0, 1, 2, ... of `shape`.
Tensor Iota(const Shape& shape) {
  Tensor out = Tensor::Empty(DType::kF32, shape);
  auto* values = reinterpret_cast<float*>(out.data());
  std::iota(values, values + shape.elements(), 0.0F);
  return out;
}

std::vector<float> Values(const Tensor& tensor) {
  const Tensor source = tensor.Contiguous();
  std::vector<float> out(source.shape().elements());
  Convert(source.dtype(), source.data(), DType::kF32, reinterpret_cast<std::byte*>(out.data()),
          out.size());
  return out;
}

using Floats = std::vector<float>;

ErrorCode CodeOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kInternal;
}

TEST(TensorTest, EmptyIsZeroAndAligned) {
  const Tensor tensor = Tensor::Empty(DType::kF32, Shape{3, 5});
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data()) % 64, 0U);
  EXPECT_EQ(Values(tensor), Floats(15));
  EXPECT_TRUE(tensor.contiguous());
  EXPECT_EQ(tensor.stride(0), 5);
  EXPECT_EQ(Tensor::Empty(DType::kF32, Shape{0, 5}).shape().elements(), 0U);
}

TEST(TensorTest, OfChecksItsStorage) {
  const Storage storage = Storage::Allocate(16);
  EXPECT_EQ(Tensor::Of(storage, 4, DType::kF32, Shape{3}).data(), storage.bytes().data() + 4);
  for (const uint64_t offset : {uint64_t{5}, uint64_t{16}, UINT64_MAX}) {
    EXPECT_EQ(CodeOf([&] { Tensor::Of(storage, offset, DType::kF32, Shape{3}); }),
              ErrorCode::kInvalid);
  }
  EXPECT_EQ(CodeOf([&] {
              Tensor::Of(storage, 0, DType::kF32, Shape{uint64_t{1} << 62, 16});
            }),
            ErrorCode::kInvalid);
}

TEST(TensorTest, StorageKeepsItsOwner) {
  auto owner = std::make_shared<int>(7);
  std::vector<std::byte> bytes(8);
  Tensor tensor;
  {
    const Storage storage = Storage::Borrow(bytes, owner);
    tensor = Tensor::Of(storage, 0, DType::kF32, Shape{2}).Slice(0, 1, 2);
  }
  EXPECT_EQ(owner.use_count(), 2);
  tensor = Tensor();
  EXPECT_EQ(owner.use_count(), 1);
}

TEST(TensorTest, SliceTransposePermute) {
  const Tensor tensor = Iota(Shape{2, 3});
  EXPECT_EQ(Values(tensor.Slice(1, 1, 3)), (Floats{1, 2, 4, 5}));
  EXPECT_EQ(Values(tensor.Slice(0, 1, 2)), (Floats{3, 4, 5}));
  EXPECT_EQ(Values(tensor.Slice(0, 2, 2)), Floats{});
  EXPECT_EQ(Values(tensor.Transpose(0, 1)), (Floats{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(Values(tensor.Transpose(0, 1).Slice(0, 1, 2)), (Floats{1, 4}));
  EXPECT_FALSE(tensor.Transpose(0, 1).contiguous());
  const size_t order[] = {2, 0, 1};
  const Tensor moved = Iota(Shape{2, 3, 4}).Permute(order);
  EXPECT_EQ(moved.shape(), (Shape{4, 2, 3}));
  const Floats values = Values(moved);
  for (size_t k = 0; k < 4; ++k) {
    for (size_t i = 0; i < 2; ++i) {
      for (size_t j = 0; j < 3; ++j) {
        EXPECT_EQ(values[(k * 2 + i) * 3 + j], static_cast<float>((i * 3 + j) * 4 + k));
      }
    }
  }
}

TEST(TensorTest, ReshapeAndBroadcast) {
  const Tensor tensor = Iota(Shape{2, 3});
  EXPECT_EQ(tensor.Reshape(Shape{3, 2}).stride(0), 2);
  EXPECT_EQ(tensor.Reshape(Shape{6}).data(), tensor.data());
  const Tensor wide = Iota(Shape{2, 1}).Broadcast(Shape{3, 2, 2});
  EXPECT_EQ(Values(wide), (Floats{0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1}));
  EXPECT_EQ(wide.stride(0), 0);
}

TEST(TensorTest, CastRounds) {
  const Tensor tensor = Iota(Shape{2, 300}).Transpose(0, 1).Cast(DType::kBF16);
  EXPECT_EQ(tensor.dtype(), DType::kBF16);
  EXPECT_EQ(Values(tensor)[1], 300.0F);
  EXPECT_EQ(Values(tensor)[3], 300.0F);  // 301 has nine bits: a tie
  EXPECT_EQ(Values(tensor)[7], 304.0F);  // 303
}

TEST(TensorTest, StackAndConcatenate) {
  const Tensor a = Iota(Shape{2, 2});
  const Tensor b = a.Transpose(0, 1);
  const Tensor parts[] = {a, b};
  EXPECT_EQ(Values(Stack(parts, 0)), (Floats{0, 1, 2, 3, 0, 2, 1, 3}));
  EXPECT_EQ(Stack(parts, 0).shape(), (Shape{2, 2, 2}));
  EXPECT_EQ(Values(Stack(parts, 1)), (Floats{0, 1, 0, 2, 2, 3, 1, 3}));
  EXPECT_EQ(Values(Stack(parts, 2)), (Floats{0, 0, 1, 2, 2, 1, 3, 3}));
  EXPECT_EQ(Values(Concatenate(parts, 1)), (Floats{0, 1, 0, 2, 2, 3, 1, 3}));
  const Tensor rows[] = {a, Iota(Shape{1, 2}), Iota(Shape{0, 2})};
  EXPECT_EQ(Values(Concatenate(rows, 0)), (Floats{0, 1, 2, 3, 0, 1}));
}

TEST(TensorTest, PackedElementsStayContiguous) {
  const Tensor tensor = Tensor::Empty(DType::kF4, Shape{2, 4});
  EXPECT_EQ(tensor.Slice(0, 1, 2).data(), tensor.data() + 2);
  const Tensor parts[] = {tensor, tensor};
  EXPECT_EQ(Concatenate(parts, 0).shape(), (Shape{4, 4}));
  EXPECT_EQ(CodeOf([&] { tensor.Slice(1, 1, 3); }), ErrorCode::kUsage);
  EXPECT_EQ(CodeOf([&] { tensor.Slice(1, 0, 2); }), ErrorCode::kUsage);
  EXPECT_EQ(CodeOf([&] { tensor.Transpose(0, 1); }), ErrorCode::kUsage);
  EXPECT_EQ(CodeOf([&] { tensor.Broadcast(Shape{2, 2, 4}); }), ErrorCode::kUsage);
}

TEST(TensorTest, BadArgumentsAreUsageErrors) {
  const Tensor tensor = Iota(Shape{2, 3});
  const size_t twice[] = {0, 0};
  const size_t beyond[] = {0, 2};
  const size_t one[] = {0};
  const std::vector<std::function<void()>> calls = {
      [&] { tensor.Slice(2, 0, 1); },
      [&] { tensor.Slice(0, 0, 3); },
      [&] { tensor.Slice(0, 2, 1); },
      [&] { tensor.Transpose(0, 2); },
      [&] { tensor.Permute(twice); },
      [&] { tensor.Permute(beyond); },
      [&] { tensor.Permute(one); },
      [&] { tensor.Reshape(Shape{7}); },
      [&] { tensor.Transpose(0, 1).Reshape(Shape{6}); },
      [&] { tensor.Broadcast(Shape{3}); },
      [&] {
        tensor.Broadcast(Shape{4, 3});
      },
      [&] { Stack({}, 0); },
      [&] { Concatenate({}, 0); },
      [&] {
        Stack(std::vector<Tensor>{tensor, Iota(Shape{3, 2})}, 0);
      },
      [&] { Stack(std::vector<Tensor>{tensor}, 3); },
      [&] {
        Concatenate(std::vector<Tensor>{tensor, Iota(Shape{2, 4})}, 0);
      },
      [&] {
        Concatenate(std::vector<Tensor>{tensor, tensor.Cast(DType::kF16)}, 0);
      },
      [&] { Concatenate(std::vector<Tensor>{tensor}, 2); },
  };
  for (size_t i = 0; i < calls.size(); ++i) {
    EXPECT_EQ(CodeOf(calls[i]), ErrorCode::kUsage) << i;
  }
}

}  // namespace
}  // namespace lbrx
