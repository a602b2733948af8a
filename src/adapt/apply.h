// What an adapter makes of a model's tensors.
#pragma once

#include <string>
#include <vector>

#include "adapt/adapter.h"
#include "stream/layout.h"

namespace lbrx {

// Puts recipes in place of the values that `adapter` changes, of the same dtype and shape: never is
// there a temporary model. `tensors` are under names of `naming`, which is Hugging Face's, and
// `config` is the text model's. The adapter's checkpoint is sources[source]; recipes name it so.
//
// kInvalid, before any data is read: a tensor of the adapter that no tensor of the model answers
// to, or of a shape that does not fit it. Returns what the user should know.
std::vector<std::string> ApplyAdapter(const Adapter& adapter,
                                      const SourceFiles::Checkpoints& sources, uint32_t source,
                                      const Naming& naming, const Json& config,
                                      std::vector<NamedValue>& tensors);

}  // namespace lbrx
