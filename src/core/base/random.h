// Random numbers that depend on nothing but a key and an index, so that any thread may draw any of
// them in any order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/philox.h"

namespace lbrx {

// The 32-bit words of one of Philox's streams: word i is word i % 32 of group i / 32. The key is a
// hash of seed and name.
class CounterRandom {
 public:
  CounterRandom(uint64_t seed, std::string_view name, uint32_t stream);

  // Words [first, first + count).
  void Fill(uint64_t first, size_t count, uint32_t* out) const;

 private:
  PhiloxKey key_;
  uint32_t stream_;
};

}  // namespace lbrx
