// Keeping elements of a row at random, the likelier the higher they rank in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace lbrx {

// Rows of one length, where an element that ranks r-th by magnitude (from 0, the smallest; equal
// ones in the order of their indices) is kept where its draw is at most last_kept[r].
//
// No row is sorted: elements are counted by the upper bits of their magnitude, and most draws
// decide for all ranks that a bucket has. Only the ranks of the others are found out.
class RankedRows {
 public:
  // `last_kept` does not fall from rank to rank; one for each element of a row.
  explicit RankedRows(std::vector<uint32_t> last_kept) : last_kept_(std::move(last_kept)) {}

  size_t length() const { return last_kept_.size(); }

  // What a thread works with, from row to row.
  struct Scratch {
    std::vector<uint32_t> draws;    // of the row: filled in by the caller
    std::vector<uint32_t> buckets;  // of elements
    std::vector<uint32_t> starts;   // of buckets: the rank of the first element
    std::vector<uint32_t> surely;   // the last draw with which all elements of a bucket are kept
    std::vector<uint32_t> perhaps;  // and the last one with which any is
    std::vector<uint32_t> open;     // elements that their bucket does not decide
    std::vector<uint32_t> ordered;  // elements, bucket by bucket
    std::vector<uint32_t> ranks;    // of elements in buckets that were sorted
    std::vector<bool> sorted;       // which buckets those are
  };

  Scratch MakeScratch() const;

  // Sets elements that are not kept to 0, and uses up the draws.
  void Keep(float* row, Scratch& scratch) const;

  uint64_t StateBytes(unsigned threads) const;

 private:
  void CountBuckets(const float* row, Scratch& scratch) const;
  void OrderByBucket(Scratch& scratch) const;
  static void SortBucket(const float* row, uint32_t bucket, Scratch& scratch);
  void DecideOpen(const float* row, Scratch& scratch) const;
  size_t RankInRow(const float* row, size_t element) const;
  std::vector<uint32_t> last_kept_;
};

// Its loops, by definition and on vectors.
struct RankedRowOps {
  // The largest magnitude, as bits.
  uint32_t (*largest)(const float* row, size_t count);
  // buckets[i] = magnitude[i] >> shift, less `base`; 0 where that is below 0
  void (*bucket)(const float* row, size_t count, int shift, uint32_t base, uint32_t* buckets);
  // Indices of elements, zeros aside, whose draw is above surely[bucket] and at most
  // perhaps[bucket]; returns their number. `open` has room for `count`.
  size_t (*find_open)(const float* row, size_t count, const RankedRows::Scratch& scratch,
                      uint32_t* open);
  // 0 where the draw is above surely[bucket]
  void (*keep_sure)(const RankedRows::Scratch& scratch, size_t count, float* row);
  // How many magnitudes' bits are at most that.
  size_t (*count_at_most)(const float* row, size_t count, int32_t magnitude);
};

extern const RankedRowOps kReferenceRankedRowOps;
const RankedRowOps& FastRankedRowOps();

}  // namespace lbrx
