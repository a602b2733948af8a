// Exact element conversions: round to nearest even; NaN stays NaN, infinities stay infinite.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/tensor/dtype.h"

namespace lbrx {

// Whether ToFloat knows `dtype`: F64 F32 F16 BF16 F8_E4M3 F8_E5M2 F8_E8M0 F4, integers, BOOL.
bool CanConvert(DType from, DType to);

// Converts `count` elements. from == to copies. Buffers must not overlap. F4 counts are even.
// Conversions between floating types go through the wider one and round once; F64 -> BF16 rounds
// once too. Integers beyond 2^53 round to nearest even. To integer types: only from the same type.
void Convert(DType from, const std::byte* in, DType to, std::byte* out, size_t count);

// How many elements are NaN or infinite, and the first one's index. Types without such values: 0.
struct NonFinite {
  uint64_t count = 0;
  uint64_t first = 0;
};

NonFinite FindNonFinite(DType dtype, const std::byte* data, size_t count);
// Fast yes/no form of the above.
bool HasNonFinite(DType dtype, const std::byte* data, size_t count);

// Scalars, bit for bit as the SIMD versions.
float BF16ToFloat(uint16_t bits);
uint16_t FloatToBF16(float value);
float F16ToFloat(uint16_t bits);
uint16_t FloatToF16(float value);
float F8E4M3ToFloat(uint8_t bits);   // 0x7F and 0xFF are NaN (OCP "fn": no infinities)
uint8_t FloatToF8E4M3(float value);  // saturates at 448; NaN -> 0x7F
float F8E5M2ToFloat(uint8_t bits);
uint8_t FloatToF8E5M2(float value);
float F8E8M0ToFloat(uint8_t bits);  // 2^(bits - 127); 255 is NaN
float F4ToFloat(uint8_t code);      // E2M1, low nibble: 0 .5 1 1.5 2 3 4 6 and their negatives

}  // namespace lbrx
