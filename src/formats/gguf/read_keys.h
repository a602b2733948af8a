// The keys of a GGUF header.
#pragma once

#include <cstdint>

#include "formats/gguf/input.h"
#include "formats/gguf/keys.h"
#include "formats/problems.h"

namespace lbrx {

// Reads `count` keys with their values from where `input` stands. kInvalid for whatever is wrong;
// warns of keys that are not ASCII and of odd booleans. An impossible general.alignment is a
// problem that can be collected.
GgufKeys ReadGgufKeys(GgufInput& input, uint64_t count, ProblemSink& problems);

// What general.alignment says; the default where it is missing or impossible.
uint32_t GgufAlignment(const GgufKeys& keys);

}  // namespace lbrx
