// Tensor shapes: up to 8 dimensions, outermost first.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>

#include "core/base/checked.h"

namespace lbrx {

class Shape {
 public:
  static constexpr size_t kMaxRank = 8;

  Shape() = default;

  Shape(std::initializer_list<uint64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}

  // More than kMaxRank dimensions: callers test first.
  explicit Shape(std::span<const uint64_t> dims) : rank_(static_cast<uint8_t>(dims.size())) {
    std::copy(dims.begin(), dims.end(), dims_.begin());
  }

  size_t rank() const { return rank_; }

  uint64_t operator[](size_t i) const { return dims_[i]; }

  uint64_t& operator[](size_t i) { return dims_[i]; }

  std::span<const uint64_t> dims() const { return {dims_.data(), rank_}; }

  uint64_t back() const { return rank_ == 0 ? 1 : dims_[rank_ - 1]; }  // row length; 1 for a scalar

  void push_back(uint64_t dim) { dims_[rank_++] = dim; }

  // Product of the dimensions; nullopt where any partial product (zeros aside) overflows 64 bits,
  // in any order of the dimensions.
  std::optional<uint64_t> CheckedElements() const {
    uint64_t product = 1;
    bool zero = false;
    for (uint64_t dim : dims()) {
      if (dim == 0) {
        zero = true;
      } else if (MulOverflows(product, dim, &product)) {
        return std::nullopt;
      }
    }
    return zero ? 0 : product;
  }

  // Of a shape already checked.
  uint64_t elements() const { return *CheckedElements(); }

  bool operator==(const Shape& other) const {
    return std::equal(dims().begin(), dims().end(), other.dims().begin(), other.dims().end());
  }

  std::string ToString() const {  // "[2048, 256]"
    std::string out = "[";
    for (size_t i = 0; i < rank_; ++i) {
      out += (i == 0 ? "" : ", ") + std::to_string(dims_[i]);
    }
    return out + "]";
  }

 private:
  std::array<uint64_t, kMaxRank> dims_{};
  uint8_t rank_ = 0;
};

}  // namespace lbrx
