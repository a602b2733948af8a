// Which tensors the output has, and which tensors of which models each is made of.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "merge/config.h"
#include "merge/models.h"

namespace lbrx {

struct OutlineInput {
  size_t model = 0;                    // in MergeModels
  const NamedValue* tensor = nullptr;  // may be the embedding in place of an output matrix
};

struct OutlineTensor {
  std::string name;  // in the output
  const MergeModule* module = nullptr;
  const MergeSlice* slice = nullptr;
  double t = 0;                      // position in the slice: 0 first, 1 last layer; 0 elsewhere
  std::vector<OutlineInput> inputs;  // in the order of the slice; models without it are left out
  bool known = true;                 // the architecture has such a tensor
};

struct Outline {
  std::vector<OutlineTensor> tensors;  // sorted by NaturalLess
  // For each layer of the output, which layer of its first source it is.
  std::vector<uint64_t> source_layers;
};

// `compat`: as mergekit, models beyond the number that the first slice has are left out of what
// stands behind the last layer. Throws kInvalid for ranges that a model has no layers for, slices
// of different lengths, and modules that no tensor belongs to.
Outline MakeOutline(const MergeConfig& config, const MergeModels& models, bool compat);

}  // namespace lbrx
