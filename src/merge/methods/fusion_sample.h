// The random sample from which mergekit's arcee_fusion takes quantiles of a large tensor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "merge/method.h"

namespace lbrx {

// A million elements, drawn with replacement as torch.randint does on the CPU: the 32-bit word of
// its generator modulo the number of elements, or from 2^28 elements on two words, the upper first.
class FusionSample {
 public:
  static constexpr size_t kSize = 1000000;

  explicit FusionSample(const MergeTensor& tensor);

  // Whether mergekit samples a tensor of that many elements.
  static bool Wanted(uint64_t elements) { return elements > kSize; }

  static uint64_t Words(uint64_t elements);

  // The values of a run of the tensor. Thread-safe.
  void See(uint64_t first, const float* values, size_t count);
  // After the whole tensor: the smallest, and so on. Positions must ascend from call to call.
  float AtRank(size_t position);
  void Free();

  static uint64_t StateBytes() { return kSize * (sizeof(uint64_t) + sizeof(float)); }

 private:
  void Draw();

  uint64_t elements_;
  uint64_t seed_;
  uint64_t position_;
  std::once_flag drawn_;
  std::vector<uint64_t> indices_;  // ascending
  std::vector<float> values_;
  size_t sorted_ = 0;  // values before it are no larger than those from it on
};

}  // namespace lbrx
