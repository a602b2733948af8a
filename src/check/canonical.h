// One view of a model, whatever the container: Hugging Face's names, shapes and row order.
#pragma once

#include <vector>

#include "stream/layout.h"

namespace lbrx {

// The tensors of source `source` as Hugging Face has them, a matrix per expert; names that the
// architecture does not know stay as they are. Sorted by NaturalLess. Throws kInvalid where parts
// that belong together (stacks, halves) do not fit.
std::vector<NamedValue> CanonicalTensors(const SourceFiles::Checkpoints& sources, uint32_t source);

}  // namespace lbrx
