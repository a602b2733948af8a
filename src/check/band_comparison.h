// What a band of a plan comes to, against the bytes that are stored.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "core/memory/pool.h"
#include "stream/engine.h"
#include "stream/sources.h"

namespace lbrx {

// Takes the bands of a run from any thread. Needs some hundred KiB a thread beside what the engine
// accounts for.
class BandComparison {
 public:
  // stored[i] is what there is of plan.tensors[i], in the same encoding and shape.
  BandComparison(const Plan& plan, const SourceFiles::Checkpoints& made,
                 std::vector<const SourceTensor*> stored);

  void Take(const BandResult& band);

  // Throws where a file with stored bytes changed meanwhile.
  void CheckUnchanged() const { files_.CheckUnchanged(); }

  struct PlaneSums {
    uint64_t different = 0;  // bytes
    uint64_t first = 0;      // the first of them, from the plane's start
  };

  struct TensorSums {
    std::vector<PlaneSums> planes;
    double max_difference = 0;  // of decoded values
  };

  // Once the run is over.
  const std::vector<TensorSums>& sums() const { return sums_; }

  uint64_t bytes() const { return bytes_; }

 private:
  // Whole elements of a tensor.
  struct Elements {
    uint64_t first;
    uint64_t count;
  };

  PlaneSums ComparePlane(size_t tensor, const PlaneRun& run);
  double LargestDifference(const BandResult& band);
  double PlainDifference(size_t tensor, const PlaneRun& run);
  // `computed` fills the planes of some elements, a buffer each.
  template <typename Computed>
  double EncodedDifference(size_t tensor, Elements elements, uint64_t step,
                           const Computed& computed);
  double CopiedDifference(size_t tensor, const PlaneRun& run);
  void ReadStored(size_t tensor, size_t plane, uint64_t offset, std::span<std::byte> out);

  const Plan& plan_;
  SourceFiles::Checkpoints made_;
  SourceFiles sources_;
  SourceFiles files_;
  std::vector<const SourceTensor*> stored_;
  Pool pool_;
  std::mutex mutex_;
  std::vector<TensorSums> sums_;
  uint64_t bytes_ = 0;
};

}  // namespace lbrx
