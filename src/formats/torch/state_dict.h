// Which tensors of a pickle are those of the model, and what they are called.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/problems.h"
#include "formats/torch/pickle_value.h"

namespace lbrx {

struct NamedTensor {
  std::string name;
  uint32_t tensor = 0;  // index of PickleHeap::tensors
};

// The rule: a dictionary that holds tensors under `state_dict`, `model_state_dict`, `model` or
// `module` (tried in this order, again inside what was found) is the state dict, else the pickle's
// root. Dictionaries inside it are walked and their keys joined with dots; what stands under
// `optimizer...` is passed over, as is every value that is neither (one warning tells so). Throws
// kInvalid where there is no dictionary or no tensor. `pickle` is what messages call the pickle.
std::vector<NamedTensor> FindStateDict(const PickleHeap& heap, const PickleValue& root,
                                       const std::string& file, const std::string& pickle,
                                       ProblemSink& problems);

}  // namespace lbrx
