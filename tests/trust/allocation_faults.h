// operator new of the test program, which counts and fails on order.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/test_app.h"

namespace lbrx {

// While one exists, allocations are counted from 1 and the n-th fails, or all from the n-th on.
// Freed memory may have been allocated before. One at a time; thread-safe but for that.
class AllocationFaults {
 public:
  // `n` 0: none fails.
  explicit AllocationFaults(uint64_t n = 0, bool onwards = false);
  ~AllocationFaults();
  AllocationFaults(const AllocationFaults&) = delete;
  AllocationFaults& operator=(const AllocationFaults&) = delete;

  static uint64_t Count();
};

// Runs a command line while allocations fail; the test's own do not.
AppRun RunWithoutMemory(const std::vector<std::string>& line, uint64_t n, bool onwards = false);

// Allocated and not freed, of the whole process.
int64_t LiveAllocations();

}  // namespace lbrx
