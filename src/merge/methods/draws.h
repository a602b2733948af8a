// The random draws that decide which elements of a task vector are kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/base/mersenne.h"
#include "core/base/random.h"
#include "merge/method.h"

namespace lbrx {

// A number for each element of one member's tensor, uniform over 32 bits. Under `compat` those of
// torch's generator on the CPU, whose 24 bits are the upper ones here.
class Draws {
 public:
  // `position`: of torch's stream before the member.
  Draws(const MergeTensor& tensor, size_t member, uint64_t position);

  void Fill(uint64_t first, size_t count, uint32_t* out) const;

  // The largest draw with which an element of probability `p` (above 0, at most 1) is kept; so it
  // is for torch where `p` has 24 bits.
  static uint32_t LastKept(double p);

  uint64_t StateBytes() const { return stream_ == nullptr ? 0 : MersenneStream::kBytes; }

 private:
  CounterRandom random_;
  std::shared_ptr<MersenneStream> stream_;  // nullptr: random_
  uint64_t position_;
};

}  // namespace lbrx
