// Where in a pickle something is wrong.
#pragma once

#include <cstdint>
#include <string>

#include "formats/torch/pickle_input.h"

namespace lbrx {

// Advice where a pickle wants what no checkpoint needs.
inline constexpr char kUntrustedPickle[] =
    "nothing was executed; do not load this file with a program that runs pickles unless you trust "
    "who made it";

struct PickleSite {
  const PickleInput& input;
  uint64_t position = 0;  // in the file, of the opcode that is being run

  // kInvalid naming the file, the pickle and both positions.
  [[noreturn]] void Fail(std::string what, std::string expected = {}, std::string found = {},
                         std::string advice = {}) const;
};

}  // namespace lbrx
