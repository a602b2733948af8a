#include "core/tensor/convert.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "core/base/error.h"
#include "core/tensor/convert_blocks.h"
#include "core/tensor/convert_scalar.h"

namespace lbrx {
namespace {

// Elements that are converted at a time through a buffer in the first-level cache.
constexpr size_t kBlock = 1024;

bool IsWide(DType dtype) {  // does not fit a float
  switch (dtype) {
    case DType::kI32:
    case DType::kU32:
    case DType::kI64:
    case DType::kU64:
    case DType::kF64:
      return true;
    default:
      return false;
  }
}

bool IsSource(DType dtype) {
  switch (dtype) {
    case DType::kF6E2M3:
    case DType::kF6E3M2:
    case DType::kC64:
      return false;
    default:
      return true;
  }
}

bool IsTarget(DType dtype) {
  switch (dtype) {
    case DType::kF8E5M2:
    case DType::kF8E4M3:
    case DType::kF16:
    case DType::kBF16:
    case DType::kF32:
    case DType::kF64:
      return true;
    default:
      return false;
  }
}

size_t BytesOf(DType dtype, size_t count) {
  return count * Info(dtype).bits / 8;
}

void ConvertToDouble(DType from, const std::byte* in, std::byte* out, size_t count) {
  double wide[kBlock];
  float narrow[kBlock];
  for (size_t begin = 0; begin < count; begin += kBlock) {
    const size_t n = std::min(kBlock, count - begin);
    const std::byte* source = in + BytesOf(from, begin);
    if (IsWide(from)) {
      LoadDoubles(from, source, n, wide);
    } else {
      LoadFloats(from, source, n, reinterpret_cast<std::byte*>(narrow));
      std::copy(narrow, narrow + n, wide);
    }
    std::memcpy(out + begin * sizeof(double), wide, n * sizeof(double));
  }
}

void ConvertToSmall(DType from, const std::byte* in, DType to, std::byte* out, size_t count) {
  float values[kBlock];
  for (size_t begin = 0; begin < count; begin += kBlock) {
    const size_t n = std::min(kBlock, count - begin);
    const std::byte* source = in + BytesOf(from, begin);
    if (IsWide(from)) {
      LoadWide(from, source, n, to == DType::kF32, values);
    } else {
      LoadFloats(from, source, n, reinterpret_cast<std::byte*>(values));
    }
    StoreFloats(reinterpret_cast<const std::byte*>(values), n, to, out + BytesOf(to, begin));
  }
}

bool IsCommonFloat(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kBF16 || dtype == DType::kF16;
}

}  // namespace

void CastFloatsReference(DType from, const std::byte* in, DType to, std::byte* out, size_t count) {
  if (from == DType::kF32) {
    StoreFloats(in, count, to, out);
  } else if (to == DType::kF32) {
    LoadFloats(from, in, count, out);
  } else {
    ConvertToSmall(from, in, to, out, count);
  }
}

bool CanConvert(DType from, DType to) {
  return from == to || (IsSource(from) && IsTarget(to));
}

void Convert(DType from, const std::byte* in, DType to, std::byte* out, size_t count) {
  if (from == to) {
    const size_t bytes = BytesOf(from, count);
    if (bytes != 0) {
      std::memcpy(out, in, bytes);
    }
    return;
  }
  if (!CanConvert(from, to)) {
    throw Error(ErrorCode::kUsage,
                "cannot convert " + std::string(Name(from)) + " to " + std::string(Name(to)));
  }
  if (IsCommonFloat(from) && IsCommonFloat(to)) {
    CastFloats(from, in, to, out, count);
  } else if (to == DType::kF64) {
    ConvertToDouble(from, in, out, count);
  } else if (from == DType::kF32) {
    StoreFloats(in, count, to, out);
  } else if (to == DType::kF32 && !IsWide(from)) {
    LoadFloats(from, in, count, out);
  } else {
    ConvertToSmall(from, in, to, out, count);
  }
}

float BF16ToFloat(uint16_t bits) {
  return scalar::BF16ToFloat(bits);
}

uint16_t FloatToBF16(float value) {
  return scalar::FloatToBF16(value);
}

float F16ToFloat(uint16_t bits) {
  return scalar::F16ToFloat(bits);
}

uint16_t FloatToF16(float value) {
  return scalar::FloatToF16(value);
}

float F8E4M3ToFloat(uint8_t bits) {
  return scalar::F8E4M3ToFloat(bits);
}

uint8_t FloatToF8E4M3(float value) {
  return scalar::FloatToF8E4M3(value);
}

float F8E5M2ToFloat(uint8_t bits) {
  return scalar::F8E5M2ToFloat(bits);
}

uint8_t FloatToF8E5M2(float value) {
  return scalar::FloatToF8E5M2(value);
}

float F8E8M0ToFloat(uint8_t bits) {
  return scalar::F8E8M0ToFloat(bits);
}

float F4ToFloat(uint8_t code) {
  return scalar::F4ToFloat(code);
}

}  // namespace lbrx
