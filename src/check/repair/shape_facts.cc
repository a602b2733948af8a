#include "check/repair/shape_facts.h"

#include <algorithm>
#include <map>
#include <vector>

namespace lbrx {
namespace {

TensorMeaning MeaningOf(const Architecture& architecture, const Checkpoint& checkpoint,
                        const SourceTensor& tensor) {
  return checkpoint.format == "mlx" ? ResolveMlx(architecture, tensor.name)
                                    : Resolve(architecture, tensor.name);
}

bool KnowsAll(const Architecture& architecture, const Checkpoint& checkpoint) {
  return !checkpoint.tensors.empty() &&
         std::all_of(checkpoint.tensors.begin(), checkpoint.tensors.end(),
                     [&](const SourceTensor& tensor) {
                       return MeaningOf(architecture, checkpoint, tensor).rule != nullptr;
                     });
}

std::vector<const Architecture*> Knowing(const Checkpoint& checkpoint) {
  std::vector<const Architecture*> found;
  for (const Architecture* architecture : Architectures()) {
    if (KnowsAll(*architecture, checkpoint)) {
      found.push_back(architecture);
    }
  }
  return found;
}

// Votes for a number.
class Votes {
 public:
  void Add(uint64_t value) { ++counts_[value]; }

  std::optional<uint64_t> Winner() const {
    const auto most =
        std::max_element(counts_.begin(), counts_.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    return most == counts_.end() ? std::nullopt : std::optional(most->first);
  }

 private:
  std::map<uint64_t, uint64_t> counts_;
};

}  // namespace

const Architecture* OnlyArchitectureOf(const Checkpoint& checkpoint) {
  const std::vector<const Architecture*> found = Knowing(checkpoint);
  return found.size() == 1 ? found.front() : nullptr;
}

ShapeFacts FindShapeFacts(const Checkpoint& checkpoint) {
  ShapeFacts facts;
  facts.architecture = FindArchitecture(checkpoint.config);
  if (facts.architecture == nullptr) {
    const std::vector<const Architecture*> found = Knowing(checkpoint);
    facts.architecture = found.empty() ? nullptr : found.front();
  }
  if (facts.architecture == nullptr) {
    return facts;
  }
  Votes vocabulary;
  Votes hidden;
  Votes intermediate;
  Votes query;
  Votes key;
  for (const SourceTensor& tensor : checkpoint.tensors) {
    const TensorMeaning meaning = MeaningOf(*facts.architecture, checkpoint, tensor);
    if (meaning.rule == nullptr) {
      continue;
    }
    if (meaning.layer && *meaning.layer < uint64_t{1} << 32) {
      facts.layers = std::max(facts.layers.value_or(0), *meaning.layer + 1);
    }
    facts.has_head = facts.has_head || meaning.rule->role == Role::kOutput;
    if (meaning.leaf != "weight" || tensor.shape.rank() != 2 ||
        !Info(tensor.encoding.dtype).floating) {  // integers are codes of another quantizer
      continue;
    }
    const bool swapped = meaning.rule->layout == Layout::kTransposed && checkpoint.format != "mlx";
    const uint64_t rows = tensor.shape[swapped ? 1 : 0];
    const uint64_t columns = tensor.shape[swapped ? 0 : 1];
    switch (meaning.rule->role) {
      case Role::kTokenEmbedding:
      case Role::kOutput:
        vocabulary.Add(rows);
        hidden.Add(columns);
        break;
      case Role::kGate:
      case Role::kUp:
        intermediate.Add(rows);
        hidden.Add(columns);
        break;
      case Role::kQuery:
        query.Add(rows);
        hidden.Add(columns);
        break;
      case Role::kKey:
        key.Add(rows);
        hidden.Add(columns);
        break;
      default:
        break;
    }
  }
  facts.vocabulary = vocabulary.Winner();
  facts.hidden = hidden.Winner();
  facts.intermediate = intermediate.Winner();
  facts.query = query.Winner();
  facts.key = key.Winner();
  return facts;
}

}  // namespace lbrx
