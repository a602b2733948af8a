// For tests: tensors of made-up models that are related as fine-tunes are.
#pragma once

#include <cmath>
#include <cstdint>

#include "merge/methods/test_kernel_runs.h"

namespace lbrx::testing {

// Values between -1 and 1, the same on every machine.
class Noise {
 public:
  explicit Noise(uint64_t seed) : state_(seed) {}

  float Next() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<float>(static_cast<int32_t>(state_ >> 32)) * 0x1p-31F;
  }

 private:
  uint64_t state_;
};

// Members are a common part and half as much of their own. Without `with_base` there is no base.
inline MergeInputs RandomInputs(const Shape& shape, size_t members, bool with_base) {
  Noise noise(shape.elements() * 31 + members);
  MergeInputs inputs{shape, {}, {}};
  Floats common(shape.elements());
  for (float& value : common) {
    value = noise.Next();
  }
  if (with_base) {
    inputs.base = common;
    for (float& value : common) {
      value += 0.3F * noise.Next();  // what fine-tunes have in common
    }
  }
  for (size_t m = 0; m < members; ++m) {
    inputs.members.push_back(common);
    for (float& value : inputs.members.back()) {
      value += 0.5F * noise.Next();
    }
  }
  return inputs;
}

}  // namespace lbrx::testing
