// What a fuzz target ends with.
#pragma once

#include <cstddef>
#include <cstdint>

#include "memory_bound.h"
#include "structure/pieces.h"

// Gives each input to lbrx::Run(std::string_view), which is declared before, within a bound on
// memory (MemoryBound's further arguments), and mutates through `structure`.
#define FUZZ_TARGET(structure, ...)                                         \
  extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) { \
    const lbrx::MemoryBound bound(size __VA_OPT__(, ) __VA_ARGS__);         \
    lbrx::Run({reinterpret_cast<const char*>(data), size});                 \
    return 0;                                                               \
  }                                                                         \
  FUZZ_STRUCTURE(structure)
