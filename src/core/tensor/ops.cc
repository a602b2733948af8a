#include "core/tensor/ops.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "core/base/error.h"
#include "core/tensor/convert.h"

namespace lbrx {
namespace {

constexpr uint64_t kRun = 256;  // elements at a time, and leaves of the trees

[[noreturn]] void ThrowUsage(const char* what, const Tensor& tensor) {
  throw Error(ErrorCode::kUsage, std::string(what) + ": " + std::string(Name(tensor.dtype())) +
                                     " " + tensor.shape().ToString());
}

void RequireFloats(const Tensor& tensor) {
  switch (tensor.dtype()) {
    case DType::kF64:
    case DType::kF32:
    case DType::kBF16:
    case DType::kF16:
      return;
    default:
      ThrowUsage("arithmetic needs floating values", tensor);
  }
}

void RequireAlike(const Tensor& a, const Tensor& b) {
  RequireFloats(a);
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) {
    ThrowUsage("the operands differ in dtype or shape", b);
  }
}

// Elements [begin, begin + count) of a contiguous tensor.
template <typename T>
void Load(const Tensor& tensor, uint64_t begin, uint64_t count, T* out) {
  constexpr DType kTo = sizeof(T) == 8 ? DType::kF64 : DType::kF32;
  const size_t width = Info(tensor.dtype()).bits / 8;
  Convert(tensor.dtype(), tensor.data() + begin * width, kTo, reinterpret_cast<std::byte*>(out),
          count);
}

template <typename T, typename Function>
void Combine(const Tensor& a, const Tensor& b, const Tensor& out, Function function) {
  constexpr DType kFrom = sizeof(T) == 8 ? DType::kF64 : DType::kF32;
  const size_t width = Info(out.dtype()).bits / 8;
  const uint64_t elements = out.shape().elements();
  T left[kRun];
  T right[kRun];
  for (uint64_t begin = 0; begin < elements; begin += kRun) {
    const uint64_t count = std::min(kRun, elements - begin);
    Load(a, begin, count, left);
    Load(b, begin, count, right);
    for (uint64_t i = 0; i < count; ++i) {
      left[i] = function(left[i], right[i]);
    }
    Convert(kFrom, reinterpret_cast<const std::byte*>(left), out.dtype(),
            out.data() + begin * width, count);
  }
}

template <typename Function>
Tensor Elementwise(const Tensor& a, const Tensor& b, Function function) {
  RequireAlike(a, b);
  Tensor out = Tensor::Empty(a.dtype(), a.shape());
  if (a.dtype() == DType::kF64) {
    Combine<double>(a.Contiguous(), b.Contiguous(), out, function);
  } else {
    Combine<float>(a.Contiguous(), b.Contiguous(), out, function);
  }
  return out;
}

// The sum of leaf(begin, count) over runs, as a tree: the left part is the largest power of two of
// runs that leaves something for the right.
template <typename Leaf>
double TreeSum(uint64_t begin, uint64_t count, const Leaf& leaf) {
  if (count <= kRun) {
    return leaf(begin, count);
  }
  const uint64_t left = std::bit_floor((count - 1) / kRun) * kRun;
  return TreeSum(begin, left, leaf) + TreeSum(begin + left, count - left, leaf);
}

// `better(x, y)`: whether x takes the place of y.
template <typename Better>
double Extreme(const Tensor& tensor, Better better) {
  RequireFloats(tensor);
  const uint64_t elements = tensor.shape().elements();
  if (elements == 0) {
    ThrowUsage("an empty tensor has no extremes", tensor);
  }
  const Tensor source = tensor.Contiguous();
  double values[kRun];
  Load(source, 0, 1, values);
  double out = values[0];
  for (uint64_t begin = 0; begin < elements; begin += kRun) {
    const uint64_t count = std::min(kRun, elements - begin);
    Load(source, begin, count, values);
    for (uint64_t i = 0; i < count; ++i) {
      out = std::isnan(values[i]) || better(values[i], out) ? values[i] : out;
    }
    if (std::isnan(out)) {
      return out;
    }
  }
  return out;
}

}  // namespace

Tensor Add(const Tensor& a, const Tensor& b) {
  return Elementwise(a, b, [](auto x, auto y) { return x + y; });
}

Tensor Multiply(const Tensor& a, const Tensor& b) {
  return Elementwise(a, b, [](auto x, auto y) { return x * y; });
}

Tensor Scale(const Tensor& a, double factor) {
  return Elementwise(a, a, [factor](auto x, auto) { return x * static_cast<decltype(x)>(factor); });
}

double Sum(const Tensor& a) {
  RequireFloats(a);
  const Tensor source = a.Contiguous();
  return TreeSum(0, source.shape().elements(), [&source](uint64_t begin, uint64_t count) {
    double values[kRun];
    Load(source, begin, count, values);
    double sum = 0;
    for (uint64_t i = 0; i < count; ++i) {
      sum += values[i];
    }
    return sum;
  });
}

double Dot(const Tensor& a, const Tensor& b) {
  RequireAlike(a, b);
  const Tensor left = a.Contiguous();
  const Tensor right = b.Contiguous();
  return TreeSum(0, left.shape().elements(), [&](uint64_t begin, uint64_t count) {
    double x[kRun];
    double y[kRun];
    Load(left, begin, count, x);
    Load(right, begin, count, y);
    double sum = 0;
    for (uint64_t i = 0; i < count; ++i) {
      sum += x[i] * y[i];
    }
    return sum;
  });
}

double Min(const Tensor& a) {
  return Extreme(a, [](double x, double y) { return x < y; });
}

double Max(const Tensor& a) {
  return Extreme(a, [](double x, double y) { return x > y; });
}

}  // namespace lbrx
