// A strided, typed view of memory that keeps its owner alive.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/tensor/dtype.h"
#include "core/tensor/shape.h"

namespace lbrx {

class MappedFile;

// Memory with an owner: allocated here, part of a mapped file, or borrowed from the caller. Copies
// share it; the last one frees it.
class Storage {
 public:
  static Storage Allocate(
      size_t bytes);  // zeroed, 64-byte aligned; kLimit where there is no memory
  static Storage Mapped(std::shared_ptr<MappedFile> file);
  // `owner` (may be null: the caller guarantees the lifetime) is held as long as the storage.
  static Storage Borrow(std::span<std::byte> bytes, std::shared_ptr<const void> owner);

  std::span<std::byte> bytes() const { return bytes_; }

  bool writable() const { return writable_; }

 private:
  std::shared_ptr<const void> owner_;
  std::span<std::byte> bytes_;
  bool writable_ = true;
};

// Strides are in elements and may be 0 (broadcast). Sub-byte types are contiguous only.
class Tensor {
 public:
  static Tensor Empty(DType dtype, const Shape& shape);  // zeroed
  // kInvalid where storage is too small.
  static Tensor Of(Storage storage, uint64_t byte_offset, DType dtype, const Shape& shape);

  DType dtype() const { return dtype_; }

  const Shape& shape() const { return shape_; }

  int64_t stride(size_t dim) const { return strides_[dim]; }

  bool contiguous() const;

  std::byte* data() const { return data_; }

  // Views, no copy. kUsage for a bad dimension or range.
  Tensor Slice(size_t dim, uint64_t begin, uint64_t end) const;
  Tensor Transpose(size_t a, size_t b) const;
  Tensor Permute(std::span<const size_t> order) const;
  Tensor Reshape(const Shape& shape) const;  // this must be contiguous
  Tensor Broadcast(const Shape& shape) const;

  Tensor Contiguous() const;       // this, or a copy
  Tensor Cast(DType dtype) const;  // a contiguous copy in `dtype`

 private:
  Storage storage_;
  std::byte* data_ = nullptr;
  DType dtype_ = DType::kF32;
  Shape shape_;
  std::array<int64_t, Shape::kMaxRank> strides_{};
};

Tensor Stack(std::span<const Tensor> parts, size_t dim);  // same shape and dtype; new dimension
Tensor Concatenate(std::span<const Tensor> parts, size_t dim);  // same but for `dim`

}  // namespace lbrx
