#include "check/canonical.h"

#include <algorithm>

namespace lbrx {
namespace {

// transformers 5 writes a stack of all experts, gate over up, where version 4 had a matrix each.
bool HasFusedExperts(const Architecture& architecture, const std::vector<NamedValue>& tensors) {
  return std::any_of(tensors.begin(), tensors.end(), [&](const NamedValue& tensor) {
    const TensorMeaning meaning = Resolve(architecture, tensor.name);
    return meaning.rule != nullptr && meaning.rule->layout == Layout::kFusedExperts;
  });
}

}  // namespace

std::vector<NamedValue> CanonicalTensors(const SourceFiles::Checkpoints& sources, uint32_t source) {
  const Checkpoint& checkpoint = *sources[source];
  std::vector<NamedValue> tensors = AsStored(sources, source);
  const Architecture* architecture = FindArchitecture(checkpoint.config);
  if (architecture == nullptr) {
    return tensors;
  }
  if (checkpoint.format != "mlx") {
    if (!HasFusedExperts(*architecture, tensors)) {
      return tensors;
    }
    // MLX has one spelling, which leads back to a matrix per expert.
    tensors = ToMlxLayout(*architecture, checkpoint.config, std::move(tensors));
  }
  return ToHuggingFaceLayout(*architecture, checkpoint.config, std::move(tensors));
}

}  // namespace lbrx
