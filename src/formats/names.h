// Names of many arrays: order and duplicates.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/checkpoint.h"

namespace lbrx {

// Finds arrays by name. Holds hashes and indices, no copy of a name; `arrays` must outlive it and
// stay as they are.
class NameTable {
 public:
  explicit NameTable(std::span<const StoredArray> arrays);

  // Index of an array of that name (the first), or nullopt.
  std::optional<uint32_t> Find(std::string_view name) const;

  // Pairs (earlier, later) of indices of arrays with the same name, by the later one.
  std::vector<std::pair<uint32_t, uint32_t>> Duplicates() const;

 private:
  std::span<const StoredArray> arrays_;
  std::vector<std::pair<uint64_t, uint32_t>> order_;  // by hash, then name, then index
};

// Adds a plain tensor for every array (but for those that are `claimed`, by index).
void AddPlainTensors(Checkpoint& checkpoint, const std::vector<bool>* claimed = nullptr);

// Sorts by NaturalLess of the names.
void SortNaturally(std::vector<SourceTensor>& tensors);

}  // namespace lbrx
