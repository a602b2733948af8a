#include "merge/methods/ranked_rows.h"

#include <algorithm>
#include <bit>

namespace lbrx {
namespace {

// 64 buckets for each power of two, of the 16 largest in a row.
constexpr size_t kBuckets = 1024;
constexpr int kShift = 17;
// From so many undecided elements on, sorting the row costs less than counting for each.
constexpr size_t kMostCounted = 256;

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
  if (scratch.open.size() > kMostCounted) {
    DecideBySorting(row, scratch);
  } else {
    DecideOpen(row, scratch);
  }
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

// What is kept gets a draw with which it surely is.
void RankedRows::DecideOpen(const float* row, Scratch& scratch) const {
  const RankedRowOps& ops = FastRankedRowOps();
  for (const uint32_t i : scratch.open) {
    const auto magnitude = static_cast<int32_t>(Magnitude(row[i]));
    const size_t rank = ops.count_at_most(row, i, magnitude) +
                        ops.count_at_most(row + i + 1, length() - i - 1, magnitude - 1);
    scratch.draws[i] = scratch.draws[i] <= last_kept_[rank] ? 0 : scratch.draws[i];
  }
}

void RankedRows::DecideBySorting(const float* row, Scratch& scratch) const {
  std::vector<uint64_t> sorted(length());
  for (size_t i = 0; i < length(); ++i) {
    sorted[i] = uint64_t{Magnitude(row[i])} << 32 | i;
  }
  std::sort(sorted.begin(), sorted.end());
  for (size_t rank = 0; rank < length(); ++rank) {
    uint32_t& draw = scratch.draws[static_cast<uint32_t>(sorted[rank])];
    draw = draw <= last_kept_[rank] ? 0 : UINT32_MAX;
  }
}

uint64_t RankedRows::StateBytes(unsigned threads) const {
  const uint64_t row = length() * (3 * sizeof(uint32_t) + sizeof(uint64_t));
  return threads * (row + 3 * (kBuckets + 1) * sizeof(uint32_t)) + length() * sizeof(uint32_t);
}

}  // namespace lbrx
