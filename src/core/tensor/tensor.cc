#include "core/tensor/tensor.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "core/base/checked.h"
#include "core/base/error.h"
#include "core/tensor/convert.h"
#include "core/tensor/encoding.h"

namespace lbrx {
namespace {

[[noreturn]] void ThrowUsage(const std::string& what, const Shape& shape) {
  ErrorDetail detail;
  detail.what = what;
  detail.found = "shape " + shape.ToString();
  throw Error(ErrorCode::kUsage, std::move(detail));
}

bool SubByte(DType dtype) {
  return Info(dtype).bits < 8;
}

using Strides = std::array<int64_t, Shape::kMaxRank>;

Strides RowMajor(const Shape& shape) {
  Strides strides{};
  uint64_t step = 1;
  for (size_t i = shape.rank(); i-- > 0;) {
    strides[i] = static_cast<int64_t>(step);
    step *= shape[i];
  }
  return strides;
}

// Copies the elements of `from` into `to`, which has the same shape and dtype.
class StridedCopy {
 public:
  StridedCopy(const Tensor& from, const Tensor& to)
      : from_(from), to_(to), size_(Info(from.dtype()).bits / 8) {}

  void Run() const {
    if (from_.contiguous() && to_.contiguous()) {
      const uint64_t bytes = PlaneBytes({"", from_.dtype(), from_.shape()});
      if (bytes != 0) {
        std::memcpy(to_.data(), from_.data(), bytes);
      }
      return;
    }
    Walk(0, from_.data(), to_.data());
  }

 private:
  void Walk(size_t dim, const std::byte* in, std::byte* out) const {
    const Shape& shape = from_.shape();
    if (dim == shape.rank()) {
      std::memcpy(out, in, size_);
      return;
    }
    if (dim + 1 == shape.rank() && from_.stride(dim) == 1 && to_.stride(dim) == 1) {
      std::memcpy(out, in, shape[dim] * size_);
      return;
    }
    const auto bytes = static_cast<int64_t>(size_);
    for (uint64_t i = 0; i < shape[dim]; ++i) {
      const int64_t at = static_cast<int64_t>(i) * bytes;
      Walk(dim + 1, in + at * from_.stride(dim), out + at * to_.stride(dim));
    }
  }

  const Tensor& from_;
  const Tensor& to_;
  size_t size_;  // bytes of an element
};

Shape WithDim(Shape shape, size_t dim, uint64_t size) {
  shape[dim] = size;
  return shape;
}

void RequireDim(size_t dim, const Shape& shape) {
  if (dim >= shape.rank()) {
    ThrowUsage("no dimension " + std::to_string(dim), shape);
  }
}

}  // namespace

Tensor Tensor::Empty(DType dtype, const Shape& shape) {
  const uint64_t bytes = PlaneBytes({"", dtype, shape});
  return Of(Storage::Allocate(bytes), 0, dtype, shape);
}

Tensor Tensor::Of(Storage storage, uint64_t byte_offset, DType dtype, const Shape& shape) {
  uint64_t end = 0;
  if (AddOverflows(byte_offset, PlaneBytes({"", dtype, shape}), &end) ||
      end > storage.bytes().size()) {
    ErrorDetail detail;
    detail.what = "a tensor is larger than its storage";
    detail.expected = "at most " + std::to_string(storage.bytes().size()) + " bytes";
    detail.found = "shape " + shape.ToString() + " at byte " + std::to_string(byte_offset);
    throw Error(ErrorCode::kInvalid, std::move(detail));
  }
  Tensor out;
  out.data_ = storage.bytes().data() + byte_offset;
  out.storage_ = std::move(storage);
  out.dtype_ = dtype;
  out.shape_ = shape;
  out.strides_ = RowMajor(shape);
  return out;
}

bool Tensor::contiguous() const {
  if (shape_.elements() == 0) {
    return true;
  }
  const Strides expected = RowMajor(shape_);
  for (size_t i = 0; i < shape_.rank(); ++i) {
    if (shape_[i] != 1 && strides_[i] != expected[i]) {
      return false;
    }
  }
  return true;
}

Tensor Tensor::Slice(size_t dim, uint64_t begin, uint64_t end) const {
  RequireDim(dim, shape_);
  if (begin > end || end > shape_[dim]) {
    ThrowUsage("a slice from " + std::to_string(begin) + " to " + std::to_string(end) +
                   " is not within dimension " + std::to_string(dim),
               shape_);
  }
  const int64_t bits = static_cast<int64_t>(begin) * strides_[dim] * Info(dtype_).bits;
  Tensor out = *this;
  out.shape_[dim] = end - begin;
  if (bits % 8 != 0 || (SubByte(dtype_) && !out.contiguous())) {
    ThrowUsage("a slice of packed elements must be contiguous and start at a byte", shape_);
  }
  if (out.shape_.elements() != 0) {
    out.data_ += bits / 8;
  }
  return out;
}

Tensor Tensor::Transpose(size_t a, size_t b) const {
  RequireDim(a, shape_);
  RequireDim(b, shape_);
  std::array<size_t, Shape::kMaxRank> order{};
  for (size_t i = 0; i < shape_.rank(); ++i) {
    order[i] = i;
  }
  std::swap(order[a], order[b]);
  return Permute({order.data(), shape_.rank()});
}

Tensor Tensor::Permute(std::span<const size_t> order) const {
  std::array<bool, Shape::kMaxRank> seen{};
  if (order.size() != shape_.rank()) {
    ThrowUsage("a permutation names every dimension once", shape_);
  }
  Tensor out = *this;
  for (size_t i = 0; i < order.size(); ++i) {
    RequireDim(order[i], shape_);
    if (std::exchange(seen[order[i]], true)) {
      ThrowUsage("a permutation names every dimension once", shape_);
    }
    out.shape_[i] = shape_[order[i]];
    out.strides_[i] = strides_[order[i]];
  }
  if (SubByte(dtype_) && !out.contiguous()) {
    ThrowUsage("packed elements cannot be permuted", shape_);
  }
  return out;
}

Tensor Tensor::Reshape(const Shape& shape) const {
  if (!contiguous() || shape.CheckedElements() != shape_.CheckedElements()) {
    ThrowUsage("cannot view this tensor as " + shape.ToString(), shape_);
  }
  Tensor out = *this;
  out.shape_ = shape;
  out.strides_ = RowMajor(shape);
  return out;
}

Tensor Tensor::Broadcast(const Shape& shape) const {
  if (shape.rank() < shape_.rank() || !shape.CheckedElements().has_value()) {
    ThrowUsage("cannot broadcast to " + shape.ToString(), shape_);
  }
  const size_t added = shape.rank() - shape_.rank();
  Tensor out = *this;
  out.shape_ = shape;
  out.strides_ = {};
  for (size_t i = 0; i < shape_.rank(); ++i) {
    if (shape_[i] == shape[added + i]) {
      out.strides_[added + i] = strides_[i];
    } else if (shape_[i] != 1) {
      ThrowUsage("cannot broadcast to " + shape.ToString(), shape_);
    }
  }
  if (SubByte(dtype_) && !out.contiguous()) {
    ThrowUsage("packed elements cannot be broadcast", shape_);
  }
  return out;
}

Tensor Tensor::Contiguous() const {
  if (contiguous()) {
    return *this;
  }
  Tensor out = Empty(dtype_, shape_);
  StridedCopy(*this, out).Run();
  return out;
}

Tensor Tensor::Cast(DType dtype) const {
  const Tensor source = Contiguous();
  Tensor out = Empty(dtype, shape_);
  Convert(dtype_, source.data_, dtype, out.data_, shape_.elements());
  return out;
}

Tensor Stack(std::span<const Tensor> parts, size_t dim) {
  if (parts.empty()) {
    throw Error(ErrorCode::kUsage, "nothing to stack");
  }
  const Shape& inner = parts[0].shape();
  if (dim > inner.rank() || inner.rank() == Shape::kMaxRank) {
    ThrowUsage("cannot stack along dimension " + std::to_string(dim), inner);
  }
  Shape shape;
  for (size_t i = 0; i <= inner.rank(); ++i) {
    shape.push_back(i == dim ? 1 : inner[i < dim ? i : i - 1]);
  }
  std::vector<Tensor> layers;
  for (const Tensor& part : parts) {
    if (part.shape() != inner) {
      ThrowUsage("only tensors of one shape can be stacked, first " + inner.ToString(),
                 part.shape());
    }
    layers.push_back(part.Contiguous().Reshape(shape));
  }
  return Concatenate(layers, dim);
}

Tensor Concatenate(std::span<const Tensor> parts, size_t dim) {
  if (parts.empty()) {
    throw Error(ErrorCode::kUsage, "nothing to concatenate");
  }
  const Shape& first = parts[0].shape();
  RequireDim(dim, first);
  uint64_t total = 0;
  for (const Tensor& part : parts) {
    if (part.dtype() != parts[0].dtype() || part.shape().rank() != first.rank() ||
        WithDim(part.shape(), dim, 0) != WithDim(first, dim, 0)) {
      ThrowUsage("cannot concatenate with " + first.ToString(), part.shape());
    }
    if (AddOverflows(total, part.shape()[dim], &total)) {
      ThrowUsage("too large to concatenate", first);
    }
  }
  Tensor out = Tensor::Empty(parts[0].dtype(), WithDim(first, dim, total));
  uint64_t begin = 0;
  for (const Tensor& part : parts) {
    StridedCopy(part, out.Slice(dim, begin, begin + part.shape()[dim])).Run();
    begin += part.shape()[dim];
  }
  return out;
}

}  // namespace lbrx
