#include "merge/methods/ranked_rows.h"

#include <algorithm>
#include <bit>

namespace lbrx {
namespace {

// 64 buckets for each power of two, of the 16 largest in a row.
constexpr size_t kBuckets = 1024;
constexpr int kShift = 17;
// Up to so many undecided elements, looking through the row for each costs least; else sorting the
// buckets that they are in.
constexpr size_t kMostInRow = 8;

uint32_t Magnitude(float value) {
  return std::bit_cast<uint32_t>(value) & 0x7FFFFFFF;
}

uint32_t Largest(const float* row, size_t count) {
  uint32_t largest = 0;
  for (size_t i = 0; i < count; ++i) {
    largest = std::max(largest, Magnitude(row[i]));
  }
  return largest;
}

void Bucket(const float* row, size_t count, int shift, uint32_t base, uint32_t* buckets) {
  for (size_t i = 0; i < count; ++i) {
    buckets[i] = std::max(Magnitude(row[i]) >> shift, base) - base;
  }
}

size_t FindOpen(const float* row, size_t count, const RankedRows::Scratch& scratch,
                uint32_t* open) {
  size_t found = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t draw = scratch.draws[i];
    const uint32_t bucket = scratch.buckets[i];
    open[found] = static_cast<uint32_t>(i);
    found += draw > scratch.surely[bucket] && draw <= scratch.perhaps[bucket] && row[i] != 0;
  }
  return found;
}

void KeepSure(const RankedRows::Scratch& scratch, size_t count, float* row) {
  for (size_t i = 0; i < count; ++i) {
    row[i] = scratch.draws[i] <= scratch.surely[scratch.buckets[i]] ? row[i] : 0.0F;
  }
}

size_t CountAtMost(const float* row, size_t count, int32_t magnitude) {
  size_t found = 0;
  for (size_t i = 0; i < count; ++i) {
    found += static_cast<int32_t>(Magnitude(row[i])) <= magnitude;
  }
  return found;
}

}  // namespace

const RankedRowOps kReferenceRankedRowOps = {Largest, Bucket, FindOpen, KeepSure, CountAtMost};

RankedRows::Scratch RankedRows::MakeScratch() const {
  Scratch scratch;
  scratch.draws.resize(length());
  scratch.buckets.resize(length());
  scratch.open.resize(length());
  scratch.ordered.resize(length());
  scratch.ranks.resize(length());
  scratch.starts.resize(kBuckets + 1);
  scratch.surely.resize(kBuckets);
  scratch.perhaps.resize(kBuckets);
  return scratch;
}

void RankedRows::Keep(float* row, Scratch& scratch) const {
  const RankedRowOps& ops = FastRankedRowOps();
  CountBuckets(row, scratch);
  scratch.open.resize(length());
  scratch.open.resize(ops.find_open(row, length(), scratch, scratch.open.data()));
  DecideOpen(row, scratch);
  ops.keep_sure(scratch, length(), row);
}

void RankedRows::CountBuckets(const float* row, Scratch& scratch) const {
  const RankedRowOps& ops = FastRankedRowOps();
  const uint32_t top = ops.largest(row, length()) >> kShift;
  const uint32_t base = top < kBuckets ? 0 : top - (kBuckets - 1);
  ops.bucket(row, length(), kShift, base, scratch.buckets.data());
  std::fill(scratch.starts.begin(), scratch.starts.end(), 0);
  for (const uint32_t bucket : scratch.buckets) {
    ++scratch.starts[bucket + 1];
  }
  for (size_t b = 0; b < kBuckets; ++b) {
    const uint32_t count = scratch.starts[b + 1];
    scratch.starts[b + 1] += scratch.starts[b];
    if (count > 0) {
      scratch.surely[b] = last_kept_[scratch.starts[b]];
      scratch.perhaps[b] = last_kept_[scratch.starts[b + 1] - 1];
    }
  }
}

void RankedRows::OrderByBucket(Scratch& scratch) const {
  std::vector<uint32_t> next(scratch.starts.begin(), scratch.starts.end() - 1);
  for (size_t i = 0; i < length(); ++i) {
    scratch.ordered[next[scratch.buckets[i]]++] = static_cast<uint32_t>(i);
  }
  scratch.sorted.assign(kBuckets, false);
}

// Once for each bucket: what was rounded to 16 bits has buckets of many equal elements, which are
// in order already.
void RankedRows::SortBucket(const float* row, uint32_t bucket, Scratch& scratch) {
  const auto begin = scratch.ordered.begin() + scratch.starts[bucket];
  const auto end = scratch.ordered.begin() + scratch.starts[bucket + 1];
  const auto before = [row](uint32_t a, uint32_t b) {
    const uint32_t first = Magnitude(row[a]);
    const uint32_t second = Magnitude(row[b]);
    return first < second || (first == second && a < b);
  };
  if (!std::is_sorted(begin, end, before)) {
    std::sort(begin, end, before);
  }
  for (uint32_t rank = scratch.starts[bucket]; rank < scratch.starts[bucket + 1]; ++rank) {
    scratch.ranks[scratch.ordered[rank]] = rank;
  }
  scratch.sorted[bucket] = true;
}

size_t RankedRows::RankInRow(const float* row, size_t element) const {
  const RankedRowOps& ops = FastRankedRowOps();
  const auto magnitude = static_cast<int32_t>(Magnitude(row[element]));
  const size_t behind = element + 1;
  return ops.count_at_most(row, element, magnitude) +
         ops.count_at_most(row + behind, length() - behind, magnitude - 1);
}

// What is kept gets a draw with which it surely is.
void RankedRows::DecideOpen(const float* row, Scratch& scratch) const {
  const bool few = scratch.open.size() <= kMostInRow;
  if (!few) {
    OrderByBucket(scratch);
  }
  for (const uint32_t i : scratch.open) {
    if (!few && !scratch.sorted[scratch.buckets[i]]) {
      SortBucket(row, scratch.buckets[i], scratch);
    }
    const size_t rank = few ? RankInRow(row, i) : scratch.ranks[i];
    scratch.draws[i] = scratch.draws[i] <= last_kept_[rank] ? 0 : scratch.draws[i];
  }
}

uint64_t RankedRows::StateBytes(unsigned threads) const {
  const uint64_t row = length() * 5 * sizeof(uint32_t);
  return threads * (row + 4 * (kBuckets + 1) * sizeof(uint32_t)) + length() * sizeof(uint32_t);
}

}  // namespace lbrx
