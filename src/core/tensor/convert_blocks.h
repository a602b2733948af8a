// Runs of elements to and from float: the halves of Convert(). Private to this room.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/tensor/dtype.h"

namespace lbrx {

// Buffers of bytes may be unaligned.

// Types whose values all fit a float: exact.
void LoadFloats(DType from, const std::byte* in, size_t count, std::byte* floats);
// Rounded to nearest even, once. To F32: a copy.
void StoreFloats(const std::byte* floats, size_t count, DType to, std::byte* out);

// I32 U32 I64 U64 F64: rounded to nearest even, or (not `nearest`) to odd.
void LoadWide(DType from, const std::byte* in, size_t count, bool nearest, float* out);
void LoadDoubles(DType from, const std::byte* in, size_t count, double* out);

// F32, BF16 and F16 among each other, by the CPU's vectors or by the two functions above.
void CastFloats(DType from, const std::byte* in, DType to, std::byte* out, size_t count);
void CastFloatsReference(DType from, const std::byte* in, DType to, std::byte* out, size_t count);

// Whether any of `count` words of `bytes` bytes has all bits of `mask` set.
bool AnyAllSet(const std::byte* data, size_t count, size_t bytes, uint64_t mask);
bool AnyAllSetReference(const std::byte* data, size_t count, size_t bytes, uint64_t mask);

}  // namespace lbrx
