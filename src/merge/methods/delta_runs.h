// Runs of task vectors in buffers side by side.
#pragma once

#include <cstddef>
#include <vector>

#include "merge/methods/delta_ops.h"
#include "merge/methods/elementwise.h"

namespace lbrx {

// Room for `slots` runs of `length` elements.
class DeltaRuns {
 public:
  DeltaRuns(size_t slots, size_t length, MergeRounding rounding)
      : slots_(slots), length_(length), rounding_(rounding), values_(slots * length) {}

  // Elements [begin, begin + count) of the tile, of member `member` less the base, into slot
  // `slot`.
  float* Load(const MergeTile& tile, size_t member, size_t begin, size_t count, size_t slot) {
    float* out = values_.data() + slot * length_;
    FastDeltaOps().subtract(tile.members[member] + begin, tile.base + begin, count, out);
    RoundRun(rounding_, out, count);
    return out;
  }

  // The same of all members.
  void LoadAll(const MergeTile& tile, size_t begin, size_t count) {
    for (size_t m = 0; m < slots_; ++m) {
      Load(tile, m, begin, count, m);
    }
  }

  float* slot(size_t i) { return values_.data() + i * length_; }

  Vote AsVote(const std::vector<float>& weights) {
    return {values_.data(), length_, weights.data(), slots_};
  }

  static uint64_t Bytes(size_t slots, size_t length) { return slots * length * sizeof(float); }

 private:
  size_t slots_;
  size_t length_;
  MergeRounding rounding_;
  std::vector<float> values_;
};

}  // namespace lbrx
