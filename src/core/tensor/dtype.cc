#include "core/tensor/dtype.h"

#include <array>
#include <string>
#include <utility>

#include "core/base/plain_text.h"

namespace lbrx {
namespace {

// In the order of the enumeration.
constexpr std::array<DTypeInfo, kDTypeCount> kInfos = {{
    {"BOOL", "bool", 8, false},
    {"F4", "float4_e2m1fn_x2", 4, true},
    {"F6_E2M3", "float6_e2m3fn", 6, true},
    {"F6_E3M2", "float6_e3m2fn", 6, true},
    {"U8", "uint8", 8, false},
    {"I8", "int8", 8, false},
    {"F8_E5M2", "float8_e5m2", 8, true},
    {"F8_E4M3", "float8_e4m3fn", 8, true},
    {"F8_E8M0", "float8_e8m0fnu", 8, true},
    {"I16", "int16", 16, false},
    {"U16", "uint16", 16, false},
    {"F16", "float16", 16, true},
    {"BF16", "bfloat16", 16, true},
    {"I32", "int32", 32, false},
    {"U32", "uint32", 32, false},
    {"F32", "float32", 32, true},
    {"C64", "complex64", 64, false},
    {"F64", "float64", 64, true},
    {"I64", "int64", 64, false},
    {"U64", "uint64", 64, false},
}};

constexpr std::array<std::pair<std::string_view, DType>, 8> kUserNames = {{
    {"f32", DType::kF32},
    {"float32", DType::kF32},
    {"fp32", DType::kF32},
    {"f16", DType::kF16},
    {"float16", DType::kF16},
    {"fp16", DType::kF16},
    {"bf16", DType::kBF16},
    {"bfloat16", DType::kBF16},
}};

}  // namespace

const DTypeInfo& Info(DType dtype) {
  return kInfos[static_cast<size_t>(dtype)];
}

std::optional<DType> DTypeByName(std::string_view name) {
  for (size_t i = 0; i < kInfos.size(); ++i) {
    if (kInfos[i].name == name) {
      return static_cast<DType>(i);
    }
  }
  return std::nullopt;
}

std::optional<DType> ParseDType(std::string_view text) {
  const std::string lower = AsciiLower(text);
  for (const auto& [name, dtype] : kUserNames) {
    if (name == lower) {
      return dtype;
    }
  }
  return std::nullopt;
}

}  // namespace lbrx
