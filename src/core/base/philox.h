// Philox4x32 with ten rounds: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as
// easy as 1, 2, 3", SC 2011.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace lbrx {

using PhiloxCounter = std::array<uint32_t, 4>;
using PhiloxKey = std::array<uint32_t, 2>;

PhiloxCounter Philox(PhiloxCounter counter, PhiloxKey key);

// Words of a group: eight blocks side by side, as vectors compute them.
inline constexpr size_t kPhiloxGroup = 32;

// Groups [group, group + groups) of a stream. Word 8 j + l (j < 4, l < 8) of group g is word j of
// the block whose counter is {8 g + l, its upper half, stream, 0}. By definition, and on vectors.
void FillPhiloxReference(PhiloxKey key, uint32_t stream, uint64_t group, size_t groups,
                         uint32_t* out);
void FillPhilox(PhiloxKey key, uint32_t stream, uint64_t group, size_t groups, uint32_t* out);

}  // namespace lbrx
