// Gives names to data that no entry of a header claims, by what is expected to be there.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "check/repair/salvage.h"

namespace lbrx {

// An array that should be in the file and is not.
struct MissingArray {
  std::string name;
  std::vector<ArrayKind> kinds;  // what it can be, the likeliest first
};

// Where missing arrays fill a hole exactly, in the order in which the safetensors library writes
// them (by type, then name) between the arrays beside the hole, they are taken to be there.
// Removes them from `missing`.
void FillHoles(SalvagedFile& file, std::vector<MissingArray>& missing);

// The same for a file without any readable header: `missing` must make up the file to the byte.
// `same_size` are the arrays of a file of the reference that has the same size, if there is one.
void RebuildHeader(SalvagedFile& file, std::vector<MissingArray>& missing,
                   const std::vector<StoredArray>& same_size);

}  // namespace lbrx
