// Searches for magnitudes in runs of floats, by definition and on vectors. Inner header.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lbrx {

// Writes the lower 16 bits of the values whose upper bits, without the sign, are `upper`, in order,
// and returns how many they are. `out` has room for `count` + 16.
size_t CollectLowerReference(const float* values, size_t count, uint32_t upper, uint32_t* out);
size_t CollectLower(const float* values, size_t count, uint32_t upper, uint32_t* out);

// How many values have these bits, without the sign.
uint64_t CountMagnitudeReference(const float* values, size_t count, uint32_t bits);
uint64_t CountMagnitude(const float* values, size_t count, uint32_t bits);

}  // namespace lbrx
