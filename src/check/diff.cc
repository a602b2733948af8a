#include <algorithm>
#include <map>

#include "check/check.h"
#include "check/names.h"
#include "check/pairs.h"
#include "model/config.h"

namespace lbrx {
namespace {

// A tensor's two sides; nullptr where it is not there.
struct Sides {
  const SourceTensor* a = nullptr;
  const SourceTensor* b = nullptr;
};

struct NamedSides {
  std::string name;
  Sides sides;
};

using SidesByName = std::map<std::string, Sides>;

// `own` names what it knows; a bare file without a config is of the other side's architecture.
const Architecture* ArchitectureOf(const Checkpoint& own, const Checkpoint& other) {
  const Architecture* architecture = FindArchitecture(own.config);
  return architecture != nullptr || !own.config.is_null() ? architecture
                                                          : FindArchitecture(other.config);
}

void Collect(const Checkpoint& checkpoint, const Architecture* architecture,
             const SourceTensor* Sides::*side, SidesByName& out) {
  for (const SourceTensor& tensor : checkpoint.tensors) {
    const SourceTensor*& slot = out[CanonicalName(architecture, tensor.name)].*side;
    if (slot == nullptr) {
      slot = &tensor;
    } else {
      out[tensor.name].*side = &tensor;  // a second one of that meaning keeps its own name
    }
  }
}

// The embedding of a side that has no head because it ties it; else nullptr.
const SourceTensor* TiedHead(const Checkpoint& checkpoint, const Architecture& architecture) {
  if (checkpoint.config.is_null() ||
      !TiedEmbeddings(checkpoint.config, architecture.tied_by_default)) {
    return nullptr;
  }
  for (const SourceTensor& tensor : checkpoint.tensors) {
    const TensorMeaning meaning = Resolve(architecture, tensor.name);
    if (meaning.rule != nullptr && meaning.rule->role == Role::kTokenEmbedding) {
      return &tensor;
    }
  }
  return nullptr;
}

// What one side lacks but has by its meaning: fills the gap. False: the tensor is no difference.
bool Complete(const std::string& name, const Checkpoint& a, const Checkpoint& b,
              const Architecture* architecture, Sides& sides) {
  if (architecture == nullptr || (sides.a != nullptr && sides.b != nullptr)) {
    return true;
  }
  const TensorMeaning meaning = Resolve(*architecture, name);
  if (meaning.rule == nullptr) {
    return true;
  }
  if (meaning.rule->role == Role::kRopeFrequencies) {
    return false;
  }
  if (meaning.rule->role == Role::kOutput) {
    sides.a = sides.a != nullptr ? sides.a : TiedHead(a, *architecture);
    sides.b = sides.b != nullptr ? sides.b : TiedHead(b, *architecture);
  }
  return true;
}

std::vector<NamedSides> Match(const Checkpoint& a, const Checkpoint& b) {
  const Architecture* of_a = ArchitectureOf(a, b);
  SidesByName by_name;
  Collect(a, of_a, &Sides::a, by_name);
  Collect(b, ArchitectureOf(b, a), &Sides::b, by_name);
  std::vector<NamedSides> out;
  for (auto& [name, sides] : by_name) {
    if (Complete(name, a, b, of_a, sides)) {
      out.push_back({name, sides});
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const NamedSides& x, const NamedSides& y) {
    return NaturalLess(x.name, y.name);
  });
  return out;
}

// All that is known without reading; kEqual where the values decide.
TensorDiff CompareHeads(const NamedSides& tensor) {
  TensorDiff diff;
  diff.name = tensor.name;
  const auto [a, b] = tensor.sides;
  if (a != nullptr) {
    diff.shape_a = a->shape;
    diff.label_a = SchemeLabel(a->encoding);
  }
  if (b != nullptr) {
    diff.shape_b = b->shape;
    diff.label_b = SchemeLabel(b->encoding);
  }
  if (a == nullptr || b == nullptr) {
    diff.kind = a == nullptr ? TensorDiff::Kind::kOnlyB : TensorDiff::Kind::kOnlyA;
  } else if (!(a->shape == b->shape)) {
    diff.kind = TensorDiff::Kind::kShape;
  }
  return diff;
}

uint64_t TensorBytes(const Checkpoint& checkpoint) {
  uint64_t bytes = 0;
  for (const SourceTensor& tensor : checkpoint.tensors) {
    for (const uint32_t plane : tensor.planes) {
      bytes += checkpoint.arrays[plane].bytes;
    }
  }
  return bytes;
}

}  // namespace

std::vector<TensorDiff> Diff(const Checkpoint& a, const Checkpoint& b, double tolerance,
                             const CheckOptions& options) {
  Scanner scanner({&a, &b}, options);
  std::vector<TensorDiff> diffs;
  std::vector<ValuePair> pairs;
  std::vector<size_t> compared;  // index into `diffs` of each pair
  uint64_t to_read = 0;
  for (const NamedSides& tensor : Match(a, b)) {
    diffs.push_back(CompareHeads(tensor));
    if (diffs.back().kind == TensorDiff::Kind::kEqual) {
      pairs.push_back({scanner.Load(0, *tensor.sides.a), scanner.Load(1, *tensor.sides.b)});
      compared.push_back(diffs.size() - 1);
      to_read += pairs.back().a->SourceBytes() + pairs.back().b->SourceBytes();
    }
  }
  const uint64_t all = TensorBytes(a) + TensorBytes(b);
  scanner.Advance(all > to_read ? all - to_read : 0);  // a tied head may be read twice
  const std::vector<ComparisonSums> sums = ComparePairs(scanner, pairs);
  for (size_t i = 0; i < sums.size(); ++i) {
    TensorDiff& diff = diffs[compared[i]];
    diff.max_difference = sums[i].max_difference;
    diff.rmse = sums[i].Rmse();
    diff.cosine = sums[i].Cosine();
    diff.kind =
        diff.max_difference <= tolerance ? TensorDiff::Kind::kEqual : TensorDiff::Kind::kDiffers;
  }
  return diffs;
}

}  // namespace lbrx
