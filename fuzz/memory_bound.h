// Memory that an input may cost.
#pragma once

#include <cstddef>
#include <cstdint>

#include "check.h"
#include "hostile/allocations.h"

namespace lbrx {

// At its end the target has taken at most `fixed` and `multiple` times the input at once, beyond
// what it had before. Long inputs are in tests/scale; here it is counts and lengths that promise
// more than there is.
class MemoryBound {
 public:
  explicit MemoryBound(size_t input_bytes, uint64_t multiple = 64, uint64_t fixed = kFixed)
      : most_(CountedAllocations().live + fixed + multiple * input_bytes) {
    ResetPeak();
  }

  ~MemoryBound() { FUZZ_CHECK(CountedAllocations().peak <= most_); }

  MemoryBound(const MemoryBound&) = delete;
  MemoryBound& operator=(const MemoryBound&) = delete;

 private:
  // Windows and buffers of fixed size, tables made at the first call.
  static constexpr uint64_t kFixed = uint64_t{8} << 20;

  uint64_t most_;
};

}  // namespace lbrx
