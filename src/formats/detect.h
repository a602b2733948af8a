// Says what a file is that is not what it should be: by its content, and for downloads that were
// not finished by the names beside it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "formats/checkpoint.h"

namespace lbrx {

// First bytes of a file that are enough to recognise it.
inline constexpr uint64_t kForeignHead = 512;

struct ForeignFile {
  std::string kind;    // "a Git LFS pointer, not the file itself"; empty: not recognised
  std::string advice;  // what the user can do
  // It stands in place of the file (pointer, error page, nothing, zeros) and holds none of it.
  bool stand_in = false;
};

// From the first bytes of a file (kForeignHead are plenty).
ForeignFile RecogniseForeign(std::string_view head);

// From the file itself: also one of zeros only, an empty one, and one whose download was not
// finished. kIo where it cannot be read.
ForeignFile RecogniseFile(const std::string& path);

// The program that has not finished `path`, by the path's ending or a control file beside it: "an
// unfinished download of aria2". Empty: none.
ForeignFile RecogniseUnfinished(const std::string& path);

// Adds an error where the download of `path` was not finished, though it looks complete.
void AddUnfinished(const std::string& path, std::vector<Problem>& problems);

// Whether a name is one that programs give to what they are still downloading.
bool IsUnfinishedName(std::string_view name);

// `error` about reading the JSON file `path`, or a better one that says what the file is instead.
Error ExplainJson(const Error& error, const std::string& path);

}  // namespace lbrx
