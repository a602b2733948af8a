#include <algorithm>
#include <map>

#include "check/canonical.h"
#include "check/check.h"
#include "check/distribution.h"
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
  const NamedValue* TiedHead(const Naming& naming) const {
    if (checkpoint.config.is_null() ||
        !TiedEmbeddings(checkpoint.config, naming.architecture->tied_by_default)) {
      return nullptr;
    }
    for (const NamedValue& tensor : tensors) {
      const TensorMeaning meaning = naming.Resolve(tensor.name);
      if (meaning.rule != nullptr && meaning.rule->role == Role::kTokenEmbedding) {
        return &tensor;
      }
    }
    return nullptr;
  }
};

// What one side lacks but has by its meaning: fills the gap. False: the tensor is no difference.
bool Complete(const std::string& name, const Side& a, const Side& b, const Naming& naming,
              Sides& sides) {
  if (naming.architecture == nullptr || (sides.a != nullptr && sides.b != nullptr)) {
    return true;
  }
  const TensorMeaning meaning = naming.Resolve(name);
  if (meaning.rule == nullptr) {
    return true;
  }
  const Role role = meaning.rule->role;
  if (role == Role::kRopeFrequencies || role == Role::kAttentionMask) {
    return false;
  }
  if (role == Role::kOutput) {
    sides.a = sides.a != nullptr ? sides.a : a.TiedHead(naming);
    sides.b = sides.b != nullptr ? sides.b : b.TiedHead(naming);
  }
  return true;
}

std::vector<NamedSides> Match(const Side& a, const Side& b) {
  // A bare file, which has no configuration, is of the other side's architecture.
  const Naming first = NamingOf(a.checkpoint);
  const Naming naming = (first.architecture != nullptr ? first : NamingOf(b.checkpoint)).Usual();
  std::map<std::string, Sides> by_name;
  for (const NamedValue& tensor : a.tensors) {
    by_name[tensor.name].a = &tensor;
  }
  for (const NamedValue& tensor : b.tensors) {
    by_name[tensor.name].b = &tensor;
  }
  std::vector<NamedSides> out;
  for (auto& [name, sides] : by_name) {
    if (Complete(name, a, b, naming, sides)) {
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
    diff.bytes_a = a->value->SourceBytes();
  }
  if (b != nullptr) {
    diff.shape_b = b->value->shape();
    diff.label_b = b->label;
    diff.bytes_b = b->value->SourceBytes();
  }
  if (a == nullptr || b == nullptr) {
    diff.kind = a == nullptr ? TensorDiff::Kind::kOnlyB : TensorDiff::Kind::kOnlyA;
  } else if (diff.shape_a != diff.shape_b) {
    diff.kind = TensorDiff::Kind::kShape;
  }
  return diff;
}

// ComparePairs, with the distributions of `pairs`, which are those of diffs[compared[i]].
std::vector<ComparisonSums> CompareAndPicture(Scanner& scanner, const std::vector<ValuePair>& pairs,
                                              const std::vector<TensorDiff>& diffs,
                                              const std::vector<size_t>& compared,
                                              DiffPictures& pictures) {
  std::vector<size_t> place_of;
  for (const TensorDiff& diff : diffs) {
    place_of.push_back(pictures.places.Add(diff.name));
  }
  std::vector<size_t> group_of;
  for (const size_t index : compared) {
    group_of.push_back(place_of[index]);
  }
  PairDistributions sets(std::move(group_of), pictures.places.places().size());
  std::vector<ComparisonSums> sums = ComparePairs(scanner, pairs, &sets);
  pictures.a = sets.a.Take();
  pictures.b = sets.b.Take();
  pictures.error = sets.error.Take();
  return sums;
}

}  // namespace

std::vector<TensorDiff> Diff(const Checkpoint& a, const Checkpoint& b, double tolerance,
                             const CheckOptions& options, DiffPictures* pictures) {
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
  const std::vector<ComparisonSums> sums =
      pictures == nullptr ? ComparePairs(scanner, pairs)
                          : CompareAndPicture(scanner, pairs, diffs, compared, *pictures);
  for (size_t i = 0; i < sums.size(); ++i) {
    TensorDiff& diff = diffs[compared[i]];
    diff.count = sums[i].count;
    diff.squared_error = sums[i].squared_difference;
    diff.squared_value = sums[i].squared_a;
    diff.max_difference = sums[i].max_difference;
    diff.rmse = sums[i].Rmse();
    diff.cosine = sums[i].Cosine();
    diff.kind =
        diff.max_difference <= tolerance ? TensorDiff::Kind::kEqual : TensorDiff::Kind::kDiffers;
  }
  return diffs;
}

}  // namespace lbrx
