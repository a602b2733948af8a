// The same model in the layouts of Hugging Face, MLX and GGUF: names, stacks of experts,
// transpositions. MLX's is between the two others.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/naming.h"
#include "stream/value.h"

namespace lbrx {

// A tensor under the name and in the shape that some layout gives it.
struct NamedValue {
  std::string name;
  ValuePtr value;
  const SourceTensor* stored = nullptr;  // the source tensor that this is, where nothing was moved
  std::string label;                     // scheme of the (first) source tensor, for people
  bool encoded = false;                  // whether a source tensor was quantized
  // Its codes where they are known: rows that were moved were moved here too. The planes of
  // `encoding`, each with the value's dimensions but for the last.
  Encoding encoding = {};
  std::vector<ValuePtr> planes = {};
};

// All tensors of source `source`, as they are.
std::vector<NamedValue> AsStored(const SourceFiles::Checkpoints& sources, uint32_t source);

// The tensors of `from` under the names and in the shapes of `to`, which is the same model, or its
// text alone; unknown ones keep theirs. `config` is the text model's. Throws kInvalid where experts
// are missing or shapes do not fit the configuration. Sorted by NaturalLess, unless nothing
// changes.
std::vector<NamedValue> Rearrange(const Naming& from, const Naming& to, const Json& config,
                                  std::vector<NamedValue> tensors);

}  // namespace lbrx
