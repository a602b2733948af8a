// Exact order statistics of magnitudes over a whole tensor, without sorting: histograms of the
// upper, then of the lower 16 bits of |x|, over all pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace lbrx {

// Which elements come first among equal magnitudes.
enum class TieOrder : uint8_t {
  kAscending,   // from the smallest magnitude on, lower indices first
  kDescending,  // from the largest on, lower indices first
};

// A place in the order: `position` elements stand before it.
struct RankQuery {
  uint64_t position = 0;
  TieOrder order = TieOrder::kAscending;
};

// The element that stands there. In the ascending order those before it have smaller bits, or the
// same and a smaller index; in the descending one larger bits, or the same and a smaller index.
struct RankedElement {
  uint32_t bits = 0;   // of |x|
  uint64_t index = 0;  // a bound as good as its own, where all equal ones stand on one side of it
};

// Finds the elements at some positions. Up to four passes: upper bits, lower bits, and only where
// equal elements stand on both sides of a position, their number in each piece and the index. All
// is counted in integers, so that the order of pieces does not matter.
class RankSelect {
  // How often each half of a magnitude was met.
  struct Counts {
    std::vector<uint32_t> table;
    uint64_t elements = 0;
  };

 public:
  // `pieces`: see CutIntoPieces().
  RankSelect(uint64_t elements, size_t pieces) : elements_(elements), pieces_(pieces) {}

  // Which positions, all below `elements`. Before pass 0 is finished.
  void Ask(const std::vector<RankQuery>& queries);

  int passes() const { return passes_; }  // falls to 2 where that is enough

  // One thread's look at one piece in one pass.
  class Watch {
   public:
    Watch(RankSelect& select, int pass, size_t piece);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    // Elements from `first` on, in order.
    void See(uint64_t first, const float* values, size_t count);

   private:
    void CountUpper(const float* values, size_t count);
    void CountLower(const float* values, size_t count);
    void FindIndices(uint64_t first, const float* values, size_t count);
    RankSelect& select_;
    const int pass_;
    const size_t piece_;
    Counts counts_;
  };

  // Whether pass `pass` has to see piece `piece`.
  bool Needs(int pass, size_t piece) const;
  void FinishPass(int pass);

  // In the order of the queries, after all passes.
  const RankedElement& found(size_t query) const { return queries_[query].found; }

  uint64_t StateBytes(unsigned threads) const;

 private:
  struct Query {
    RankQuery asked;
    uint64_t ascending = 0;      // the position from the smallest on
    uint64_t smaller = 0;        // elements with smaller bits, as far as they are known
    uint64_t ties = 0;           // equal elements that stand before the position
    size_t piece = SIZE_MAX;     // the one that has the element, once it is known
    uint64_t ties_in_piece = 0;  // equal elements that stand before it there
    RankedElement found;
    std::vector<uint64_t> ties_of_pieces;
  };

  size_t TableSize(int pass) const;
  Counts TakeCounts(int pass);
  void GiveBack(Counts counts) noexcept;
  std::vector<uint64_t> TakeSums(int pass);
  void FinishUpper();
  void FinishLower();
  void FinishTies();

  const uint64_t elements_;
  const size_t pieces_;
  int passes_ = 4;
  std::vector<Query> queries_;
  std::mutex mutex_;
  // Of the running pass, as many as threads worked at once: a thread takes one for a piece and
  // gives it back, so that a piece costs no table.
  std::vector<Counts> counts_;
  size_t taken_ = 0;            // by threads at work; for them too there is room in `counts_`
  std::vector<uint64_t> sums_;  // of those that were near overflow
};

}  // namespace lbrx
