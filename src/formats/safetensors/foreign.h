// Says what a file is that is not what it should be.
#pragma once

#include <string>
#include <string_view>

namespace lbrx {

struct ForeignFile {
  std::string kind;    // "a Git LFS pointer, not the weights themselves"; empty: not recognised
  std::string advice;  // what the user can do
};

// From the first bytes of a file (512 are plenty).
ForeignFile RecogniseForeign(std::string_view head);

}  // namespace lbrx
