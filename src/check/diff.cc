#include <algorithm>
#include <map>

#include "check/canonical.h"
#include "check/check.h"
#include "check/pairs.h"
#include "model/config.h"

namespace lbrx {
namespace {

// A tensor's two sides; nullptr where it is not there.
struct Sides {
  const NamedValue* a = nullptr;
  const NamedValue* b = nullptr;
};

struct NamedSides {
  std::string name;
  Sides sides;
};

// One checkpoint of the two.
struct Side {
  const Checkpoint& checkpoint;
  std::vector<NamedValue> tensors;

  Side(const Checkpoint& checkpoint, const SourceFiles::Checkpoints& sources, uint32_t source)
      : checkpoint(checkpoint), tensors(CanonicalTensors(sources, source)) {}

  // The embedding of a side that has no head because it ties it; else nullptr.
  const NamedValue* TiedHead(const Architecture& architecture) const {
    if (checkpoint.config.is_null() ||
        !TiedEmbeddings(checkpoint.config, architecture.tied_by_default)) {
      return nullptr;
    }
    for (const NamedValue& tensor : tensors) {
      const TensorMeaning meaning = Resolve(architecture, tensor.name);
      if (meaning.rule != nullptr && meaning.rule->role == Role::kTokenEmbedding) {
        return &tensor;
      }
    }
    return nullptr;
  }
};

// What one side lacks but has by its meaning: fills the gap. False: the tensor is no difference.
bool Complete(const std::string& name, const Side& a, const Side& b,
              const Architecture* architecture, Sides& sides) {
  if (architecture == nullptr || (sides.a != nullptr && sides.b != nullptr)) {
    return true;
  }
  const TensorMeaning meaning = Resolve(*architecture, name);
  if (meaning.rule == nullptr) {
    return true;
  }
  const Role role = meaning.rule->role;
  if (role == Role::kRopeFrequencies || role == Role::kAttentionMask) {
    return false;
  }
  if (role == Role::kOutput) {
    sides.a = sides.a != nullptr ? sides.a : a.TiedHead(*architecture);
    sides.b = sides.b != nullptr ? sides.b : b.TiedHead(*architecture);
  }
  return true;
}

std::vector<NamedSides> Match(const Side& a, const Side& b) {
  // A bare file, which has no configuration, is of the other side's architecture.
  const Architecture* architecture = FindArchitecture(a.checkpoint.config);
  if (architecture == nullptr) {
    architecture = FindArchitecture(b.checkpoint.config);
  }
  std::map<std::string, Sides> by_name;
  for (const NamedValue& tensor : a.tensors) {
    by_name[tensor.name].a = &tensor;
  }
  for (const NamedValue& tensor : b.tensors) {
    by_name[tensor.name].b = &tensor;
  }
  std::vector<NamedSides> out;
  for (auto& [name, sides] : by_name) {
    if (Complete(name, a, b, architecture, sides)) {
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
    diff.shape_a = a->value->shape();
    diff.label_a = a->label;
  }
  if (b != nullptr) {
    diff.shape_b = b->value->shape();
    diff.label_b = b->label;
  }
  if (a == nullptr || b == nullptr) {
    diff.kind = a == nullptr ? TensorDiff::Kind::kOnlyB : TensorDiff::Kind::kOnlyA;
  } else if (diff.shape_a != diff.shape_b) {
    diff.kind = TensorDiff::Kind::kShape;
  }
  return diff;
}

}  // namespace

std::vector<TensorDiff> Diff(const Checkpoint& a, const Checkpoint& b, double tolerance,
                             const CheckOptions& options) {
  Scanner scanner({&a, &b}, options);
  const Side side_a(a, scanner.sources(), 0);
  const Side side_b(b, scanner.sources(), 1);
  std::vector<TensorDiff> diffs;
  std::vector<ValuePair> pairs;
  std::vector<size_t> compared;  // index into `diffs` of each pair
  uint64_t to_read = 0;
  for (const NamedSides& tensor : Match(side_a, side_b)) {
    diffs.push_back(CompareHeads(tensor));
    if (diffs.back().kind == TensorDiff::Kind::kEqual) {
      pairs.push_back({tensor.sides.a->value, tensor.sides.b->value});
      compared.push_back(diffs.size() - 1);
      to_read += pairs.back().a->SourceBytes() + pairs.back().b->SourceBytes();
    }
  }
  const uint64_t all = Summarize(a).bytes + Summarize(b).bytes;
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
