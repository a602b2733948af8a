// Search for NaN and infinities: values whose exponent (for some types the mantissa too) is all
// ones.
#include <algorithm>
#include <cstring>

#include "core/tensor/convert.h"
#include "core/tensor/convert_blocks.h"

namespace lbrx {
namespace {

// The bits that are all ones where a value is not finite; 0: the type has none such.
uint64_t MaskOf(DType dtype) {
  switch (dtype) {
    case DType::kF8E5M2:
      return 0x7C;
    case DType::kF8E4M3:
      return 0x7F;
    case DType::kF8E8M0:
      return 0xFF;
    case DType::kF16:
      return 0x7C00;
    case DType::kBF16:
      return 0x7F80;
    case DType::kF32:
    case DType::kC64:  // of either part
      return 0x7F800000;
    case DType::kF64:
      return 0x7FF0000000000000;
    default:
      return 0;
  }
}

// An element is `parts` words.
struct Words {
  uint64_t mask;
  size_t bytes;
  size_t parts;

  bool Any(const std::byte* data, size_t begin, size_t end) const {
    return AnyAllSet(data + begin * parts * bytes, (end - begin) * parts, bytes, mask);
  }
};

Words WordsOf(DType dtype) {
  const size_t parts = dtype == DType::kC64 ? 2 : 1;
  return {MaskOf(dtype), Info(dtype).bits / 8 / parts, parts};
}

}  // namespace

bool AnyAllSetReference(const std::byte* data, size_t count, size_t bytes, uint64_t mask) {
  for (size_t i = 0; i < count; ++i) {
    uint64_t word = 0;
    std::memcpy(&word, data + i * bytes, bytes);
    if ((word & mask) == mask) {
      return true;
    }
  }
  return false;
}

NonFinite FindNonFinite(DType dtype, const std::byte* data, size_t count) {
  constexpr size_t kBlock = 4096;
  const Words words = WordsOf(dtype);
  NonFinite out;
  if (words.mask == 0) {
    return out;
  }
  for (size_t begin = 0; begin < count; begin += kBlock) {
    const size_t end = std::min(count, begin + kBlock);
    if (!words.Any(data, begin, end)) {
      continue;
    }
    for (size_t i = begin; i < end; ++i) {
      if (words.Any(data, i, i + 1)) {
        out.first = out.count == 0 ? i : out.first;
        ++out.count;
      }
    }
  }
  return out;
}

bool HasNonFinite(DType dtype, const std::byte* data, size_t count) {
  const Words words = WordsOf(dtype);
  return words.mask != 0 && words.Any(data, 0, count);
}

}  // namespace lbrx
