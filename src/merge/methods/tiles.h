// Parts of tiles.
#pragma once

#include <cstddef>
#include <vector>

#include "merge/method.h"

namespace lbrx {

// Elements [offset, offset + count) of a tile. Each call changes what the one before gave.
class TilePart {
 public:
  const MergeTile& Of(const MergeTile& tile, size_t offset, size_t count) {
    members_.clear();
    for (const float* member : tile.members) {
      members_.push_back(member + offset);
    }
    part_ = {.first = tile.first + offset,
             .count = count,
             .members = members_,
             .base = tile.base == nullptr ? nullptr : tile.base + offset};
    return part_;
  }

 private:
  std::vector<const float*> members_;
  MergeTile part_;
};

// body(row, offset) for each row of `length` elements; the tile consists of whole ones.
template <typename Body>
void ForEachRow(const MergeTile& tile, size_t length, Body body) {
  TilePart part;
  for (size_t offset = 0; offset < tile.count; offset += length) {
    body(part.Of(tile, offset, length), offset);
  }
}

}  // namespace lbrx
