#include "check/canonical.h"

#include <algorithm>

#include "model/gguf_names.h"

namespace lbrx {
namespace {

// transformers 5 writes a stack of all experts, gate over up, where version 4 had a matrix each.
bool HasFusedExperts(const Naming& naming, const std::vector<NamedValue>& tensors) {
  return std::any_of(tensors.begin(), tensors.end(), [&](const NamedValue& tensor) {
    const TensorMeaning meaning = naming.Resolve(tensor.name);
    return meaning.rule != nullptr && (meaning.rule->layout == Layout::kFusedExperts ||
                                       meaning.rule->layout == Layout::kFusedColumns);
  });
}

}  // namespace

std::vector<NamedValue> CanonicalTensors(const SourceFiles::Checkpoints& sources, uint32_t source) {
  const Checkpoint& checkpoint = *sources[source];
  std::vector<NamedValue> tensors = AsStored(sources, source);
  if (checkpoint.gguf != nullptr) {
    std::erase_if(tensors, [](const NamedValue& tensor) { return IsRotaryTensor(tensor.name); });
  }
  Naming naming = NamingOf(checkpoint);
  const Json& config = TextConfig(checkpoint.config);
  if (HasFusedExperts(naming, tensors)) {
    // MLX has one spelling, which leads back to a matrix per expert.
    tensors = Rearrange(naming, naming.InMlx(), config, std::move(tensors));
    naming = naming.InMlx();
  }
  return Rearrange(naming, naming.Usual(), config, std::move(tensors));
}

}  // namespace lbrx
