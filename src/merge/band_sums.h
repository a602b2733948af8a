// The sums that the statistics of a merge are made of. Inner header of merge.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "merge/methods/elementwise.h"
#include "merge/methods/gram.h"
#include "merge/statistics.h"

namespace lbrx {

// Elements of all models and of what came out.
struct SumsTile {
  uint64_t first;
  size_t count;
  std::vector<const float*> members;
  const float* base;     // may be null
  const float* rounded;  // the base in the merged tensor's dtype; null without base
  const float* merged;
};

// The sums of one band, tile after tile.
class BandSums {
 public:
  BandSums(size_t members, bool has_base);

  void Add(const SumsTile& tile);

  // All figures, to be added up with those of other bands; Restore is the way back.
  std::vector<double> Figures();
  MergeSums Restore(const std::vector<double>& figures) &&;
  static size_t CountFigures(size_t members);

 private:
  float* Vector(size_t i) { return vectors_.data() + i * kMergeBlock; }

  void FindVectors(const SumsTile& tile, size_t offset, size_t count);
  void AddAllProducts(uint64_t first, size_t count);
  void Count(const SumsTile& tile, size_t offset, size_t count);
  void CountTrimmed(const float* delta, const float* base, const float* merged, size_t count,
                    size_t member);

  const size_t members_;
  MergeSums sums_;
  DotLanes reference_lanes_{};
  std::vector<DotLanes> lanes_;
  std::vector<float> vectors_;
  std::array<float, kMergeBlock> reference_{};
};

}  // namespace lbrx
