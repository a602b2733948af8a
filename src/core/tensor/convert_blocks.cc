#include "core/tensor/convert_blocks.h"

#include <cstring>
#include <string>
#include <type_traits>

#include "core/base/error.h"
#include "core/tensor/convert_scalar.h"

namespace lbrx {
namespace {

template <typename T>
T Read(const std::byte* in, size_t i) {
  T value;
  std::memcpy(&value, in + i * sizeof(T), sizeof(T));
  return value;
}

template <typename T>
void Write(std::byte* out, size_t i, T value) {
  std::memcpy(out + i * sizeof(T), &value, sizeof(T));
}

template <typename T, typename ToFloat>
void Load(const std::byte* in, size_t count, std::byte* floats, ToFloat to_float) {
  for (size_t i = 0; i < count; ++i) {
    Write<float>(floats, i, to_float(Read<T>(in, i)));
  }
}

template <typename T>
void LoadIntegers(const std::byte* in, size_t count, std::byte* floats) {
  Load<T>(in, count, floats, [](T value) { return static_cast<float>(value); });
}

template <typename T, typename FromFloat>
void Store(const std::byte* floats, size_t count, std::byte* out, FromFloat from_float) {
  for (size_t i = 0; i < count; ++i) {
    Write<T>(out, i, from_float(Read<float>(floats, i)));
  }
}

void LoadF4(const std::byte* in, size_t count, std::byte* floats) {
  for (size_t i = 0; i < count; ++i) {
    const auto pair = static_cast<uint8_t>(in[i / 2]);
    Write<float>(floats, i, scalar::F4ToFloat(i % 2 == 0 ? pair & 15 : pair >> 4));
  }
}

template <typename T>
float NarrowOdd(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    return scalar::DoubleToFloatOdd(value);
  } else {
    const bool negative = value < 0;
    const auto bits = static_cast<uint64_t>(value);
    return scalar::IntegerToFloatOdd(negative ? 0 - bits : bits, negative);
  }
}

template <typename T>
void LoadWideAs(const std::byte* in, size_t count, bool nearest, float* out) {
  for (size_t i = 0; i < count; ++i) {
    const T value = Read<T>(in, i);
    out[i] = nearest ? static_cast<float>(value) : NarrowOdd(value);
  }
}

template <typename T>
void LoadDoublesAs(const std::byte* in, size_t count, double* out) {
  for (size_t i = 0; i < count; ++i) {
    out[i] = static_cast<double>(Read<T>(in, i));
  }
}

[[noreturn]] void ThrowUnknown(DType dtype) {
  throw Error(ErrorCode::kInternal, "no conversion for " + std::string(Name(dtype)));
}

}  // namespace

void LoadFloats(DType from, const std::byte* in, size_t count, std::byte* floats) {
  switch (from) {
    case DType::kBool:
      return Load<uint8_t>(in, count, floats, [](uint8_t v) { return v != 0 ? 1.0F : 0.0F; });
    case DType::kF4:
      return LoadF4(in, count, floats);
    case DType::kU8:
      return LoadIntegers<uint8_t>(in, count, floats);
    case DType::kI8:
      return LoadIntegers<int8_t>(in, count, floats);
    case DType::kI16:
      return LoadIntegers<int16_t>(in, count, floats);
    case DType::kU16:
      return LoadIntegers<uint16_t>(in, count, floats);
    case DType::kF8E5M2:
      return Load<uint8_t>(in, count, floats, scalar::F8E5M2ToFloat);
    case DType::kF8E4M3:
      return Load<uint8_t>(in, count, floats, scalar::F8E4M3ToFloat);
    case DType::kF8E8M0:
      return Load<uint8_t>(in, count, floats, scalar::F8E8M0ToFloat);
    case DType::kF16:
      return Load<uint16_t>(in, count, floats, scalar::F16ToFloat);
    case DType::kBF16:
      return Load<uint16_t>(in, count, floats, scalar::BF16ToFloat);
    case DType::kF32:
      return Load<float>(in, count, floats, [](float v) { return v; });
    default:
      ThrowUnknown(from);
  }
}

void StoreFloats(const std::byte* floats, size_t count, DType to, std::byte* out) {
  switch (to) {
    case DType::kF8E5M2:
      return Store<uint8_t>(floats, count, out, scalar::FloatToF8E5M2);
    case DType::kF8E4M3:
      return Store<uint8_t>(floats, count, out, scalar::FloatToF8E4M3);
    case DType::kF16:
      return Store<uint16_t>(floats, count, out, scalar::FloatToF16);
    case DType::kBF16:
      return Store<uint16_t>(floats, count, out, scalar::FloatToBF16);
    case DType::kF32:
      if (count != 0) {
        std::memcpy(out, floats, count * sizeof(float));
      }
      return;
    default:
      ThrowUnknown(to);
  }
}

void LoadWide(DType from, const std::byte* in, size_t count, bool nearest, float* out) {
  switch (from) {
    case DType::kI32:
      return LoadWideAs<int32_t>(in, count, nearest, out);
    case DType::kU32:
      return LoadWideAs<uint32_t>(in, count, nearest, out);
    case DType::kI64:
      return LoadWideAs<int64_t>(in, count, nearest, out);
    case DType::kU64:
      return LoadWideAs<uint64_t>(in, count, nearest, out);
    case DType::kF64:
      return LoadWideAs<double>(in, count, nearest, out);
    default:
      ThrowUnknown(from);
  }
}

void LoadDoubles(DType from, const std::byte* in, size_t count, double* out) {
  switch (from) {
    case DType::kI32:
      return LoadDoublesAs<int32_t>(in, count, out);
    case DType::kU32:
      return LoadDoublesAs<uint32_t>(in, count, out);
    case DType::kI64:
      return LoadDoublesAs<int64_t>(in, count, out);
    case DType::kU64:
      return LoadDoublesAs<uint64_t>(in, count, out);
    case DType::kF64:
      return LoadDoublesAs<double>(in, count, out);
    default:
      ThrowUnknown(from);
  }
}

}  // namespace lbrx
