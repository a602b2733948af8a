// What the program takes from operator new, counted, in a program that links allocations.cc; under
// AddressSanitizer what it takes with malloc as well. Blocks from before its start may be given
// back later, so `live` means something only beside an earlier `live`.
#pragma once

#include <cstdint>

namespace lbrx {

struct Allocations {
  uint64_t live = 0;   // bytes now
  uint64_t peak = 0;   // most bytes at once since ResetPeak
  uint64_t calls = 0;  // ever
  uint64_t bytes = 0;  // ever
};

Allocations CountedAllocations();
// The peak is what is live now.
void ResetPeak();

}  // namespace lbrx
