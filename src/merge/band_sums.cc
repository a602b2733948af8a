#include "merge/band_sums.h"

#include <algorithm>
#include <utility>

namespace lbrx {

BandSums::BandSums(size_t members, bool has_base)
    : members_(members),
      sums_{.models = std::vector<std::string>(members),
            .has_base = has_base,
            .products = Gram(members + 1),
            .changed = std::vector<uint64_t>(members),
            .trimmed = std::vector<uint64_t>(members)},
      lanes_((members + 1) * (members + 2) / 2),
      vectors_((members + 1) * kMergeBlock) {}

void BandSums::Add(const SumsTile& tile) {
  for (size_t offset = 0; offset < tile.count; offset += kMergeBlock) {
    const size_t count = std::min(kMergeBlock, tile.count - offset);
    FindVectors(tile, offset, count);
    AddAllProducts(tile.first + offset, count);
    Count(tile, offset, count);
  }
}

std::vector<double> BandSums::Figures() {
  std::vector<double> figures = {Total(reference_lanes_), static_cast<double>(sums_.shared),
                                 static_cast<double>(sums_.agreeing)};
  for (const DotLanes& lanes : lanes_) {
    figures.push_back(Total(lanes));
  }
  figures.insert(figures.end(), sums_.changed.begin(), sums_.changed.end());
  figures.insert(figures.end(), sums_.trimmed.begin(), sums_.trimmed.end());
  return figures;
}

size_t BandSums::CountFigures(size_t members) {
  return 3 + (members + 1) * (members + 2) / 2 + 2 * members;
}

MergeSums BandSums::Restore(const std::vector<double>& figures) && {
  const double* next = figures.data();
  sums_.squared_reference = *next++;
  sums_.shared = static_cast<uint64_t>(*next++);
  sums_.agreeing = static_cast<uint64_t>(*next++);
  for (size_t i = 0; i <= members_; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      sums_.products.at(i, j) = *next++;
    }
  }
  for (std::vector<uint64_t>* counts : {&sums_.changed, &sums_.trimmed}) {
    for (uint64_t& count : *counts) {
      count = static_cast<uint64_t>(*next++);
    }
  }
  return std::move(sums_);
}

// The base, or the mean of the members rounded once, in `reference_`; all less that in
// `vectors_`.
void BandSums::FindVectors(const SumsTile& tile, size_t offset, size_t count) {
  if (tile.base != nullptr) {
    std::copy_n(tile.base + offset, count, reference_.data());
  } else {
    std::array<double, kMergeBlock> sum{};
    for (const float* member : tile.members) {
      for (size_t i = 0; i < count; ++i) {
        sum[i] += member[offset + i];
      }
    }
    for (size_t i = 0; i < count; ++i) {
      reference_[i] = static_cast<float>(sum[i] / static_cast<double>(members_));
    }
  }
  for (size_t v = 0; v <= members_; ++v) {
    const float* values = (v == members_ ? tile.merged : tile.members[v]) + offset;
    float* out = Vector(v);
    for (size_t i = 0; i < count; ++i) {
      out[i] = values[i] - reference_[i];
    }
  }
}

void BandSums::AddAllProducts(uint64_t first, size_t count) {
  AddProducts(reference_.data(), reference_.data(), first, count, reference_lanes_);
  DotLanes* lanes = lanes_.data();
  for (size_t i = 0; i <= members_; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      AddProducts(Vector(i), Vector(j), first, count, *lanes++);
    }
  }
}

// Runs of flags, so that compilers use vectors.
void BandSums::Count(const SumsTile& tile, size_t offset, size_t count) {
  std::array<uint8_t, kMergeBlock> up{};
  std::array<uint8_t, kMergeBlock> down{};
  std::array<uint32_t, kMergeBlock> movers{};
  for (size_t m = 0; m < members_; ++m) {
    const float* delta = Vector(m);
    for (size_t i = 0; i < count; ++i) {
      up[i] |= static_cast<uint8_t>(delta[i] > 0);
      down[i] |= static_cast<uint8_t>(delta[i] < 0);
      movers[i] += static_cast<uint32_t>(delta[i] != 0);
    }
    if (tile.base != nullptr) {
      CountTrimmed(delta, tile.rounded + offset, tile.merged + offset, count, m);
    }
  }
  for (size_t i = 0; i < count; ++i) {
    const bool shared = movers[i] > 1;
    sums_.shared += static_cast<uint64_t>(shared);
    sums_.agreeing += static_cast<uint64_t>(shared && up[i] != down[i]);
  }
}

void BandSums::CountTrimmed(const float* delta, const float* base, const float* merged,
                            size_t count, size_t member) {
  uint32_t changed = 0;
  uint32_t trimmed = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto moved = static_cast<uint32_t>(delta[i] != 0);
    changed += moved;
    trimmed += moved & static_cast<uint32_t>(merged[i] == base[i]);
  }
  sums_.changed[member] += changed;
  sums_.trimmed[member] += trimmed;
}

}  // namespace lbrx
