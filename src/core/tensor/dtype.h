// Element types, as safetensors names them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace lbrx {

// The order is that of the safetensors library, whose files are sorted by it (largest first).
enum class DType : uint8_t {
  kBool,
  kF4,
  kF6E2M3,
  kF6E3M2,
  kU8,
  kI8,
  kF8E5M2,
  kF8E4M3,
  kF8E8M0,
  kI16,
  kU16,
  kF16,
  kBF16,
  kI32,
  kU32,
  kF32,
  kC64,
  kF64,
  kI64,
  kU64,
};
inline constexpr int kDTypeCount = 20;

struct DTypeInfo {
  std::string_view name;       // safetensors: "BF16"
  std::string_view long_name;  // torch: "bfloat16"
  uint8_t bits;
  bool floating;
};

const DTypeInfo& Info(DType dtype);

inline std::string_view Name(DType dtype) {
  return Info(dtype).name;
}

// By safetensors name ("BF16"), exactly.
std::optional<DType> DTypeByName(std::string_view name);
// As users spell it: f32 f16 bf16, float32 fp32 float16 fp16 bfloat16 (any case).
std::optional<DType> ParseDType(std::string_view text);

}  // namespace lbrx
