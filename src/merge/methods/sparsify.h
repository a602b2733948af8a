// What thins out a task vector before task vectors are added.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "merge/method.h"

namespace lbrx {

// Sets elements of one member's task vector to 0, by a rule that may need figures of the whole
// tensor. Its passes are those of a MergeKernel.
class Sparsifier {
 public:
  virtual ~Sparsifier() = default;

  // Runs begin at multiples of this.
  virtual uint64_t granule() const { return 1; }

  // May fall when a pass is finished.
  virtual int passes() const { return 0; }

  // One thread's look at one piece: destroyed when all of the piece was seen.
  class Watch {
   public:
    virtual ~Watch() = default;
    virtual void See(uint64_t first, const float* deltas, size_t count) = 0;
  };

  // nullptr: the pass does not need the piece.
  virtual std::unique_ptr<Watch> Begin(int pass, size_t piece);
  virtual void FinishPass(int pass);

  // Thins elements from `first` on, in place. Thread-safe, after all passes.
  virtual void Apply(uint64_t first, float* deltas, size_t count) const = 0;

  virtual uint64_t StateBytes(unsigned threads) const;
};

// Which rule a method has; see the methods' files.
enum class Sparsification : uint8_t { kNone, kMagnitude, kOutliers, kRandom, kRankedRandom };

// The one for member `member` of `tensor`, with its density, gamma and epsilon; nullptr where
// nothing is thinned. With `rescale`, the rest is scaled to the L1 norm that the task vector had.
std::unique_ptr<Sparsifier> MakeSparsifier(Sparsification rule, const MergeTensor& tensor,
                                           size_t member, bool rescale);

// 32-bit words that the rule takes from torch's random stream for members [0, end).
uint64_t DrawsOfMembers(Sparsification rule, const MergeTensor& tensor, size_t end);

}  // namespace lbrx
