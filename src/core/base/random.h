// Random numbers that depend on nothing but a key and an index, so that any thread may draw any of
// them in any order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lbrx {

using PhiloxCounter = std::array<uint32_t, 4>;
using PhiloxKey = std::array<uint32_t, 2>;

// Philox4x32 with ten rounds: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as
// easy as 1, 2, 3", SC 2011.
PhiloxCounter Philox(PhiloxCounter counter, PhiloxKey key);

// 32-bit words from Philox. The key is a hash of seed and name. Word 32 g + 8 j + l (j < 4, l < 8)
// is word j of the block whose counter is {8 g + l, its upper half, stream, 0}: eight blocks side
// by side, as vectors compute them.
class CounterRandom {
 public:
  CounterRandom(uint64_t seed, std::string_view name, uint32_t stream);

  // Words [first, first + count).
  void Fill(uint64_t first, size_t count, uint32_t* out) const;

 private:
  PhiloxKey key_;
  uint32_t stream_;
};

// Groups of 32 words from group `group` on, as CounterRandom has them: by definition, and on
// vectors.
void FillPhiloxReference(PhiloxKey key, uint32_t stream, uint64_t group, size_t groups,
                         uint32_t* out);
void FillPhilox(PhiloxKey key, uint32_t stream, uint64_t group, size_t groups, uint32_t* out);

}  // namespace lbrx
