#include "check/pairs.h"

#include <algorithm>

namespace lbrx {
namespace {

// The pair in the type in which it is compared; as it is where there are no numbers to compare.
ValuePair Widen(const ValuePair& pair) {
  const std::optional<DType> a = NumberType(pair.a->dtype());
  const std::optional<DType> b = NumberType(pair.b->dtype());
  if (!a || !b) {
    return pair;
  }
  const DType wide = *a == DType::kF64 || *b == DType::kF64 ? DType::kF64 : DType::kF32;
  return {CastTo(pair.a, wide), CastTo(pair.b, wide)};
}

// A band's place among the distributions.
struct Part {
  PairDistributions* sets;  // null: not asked for
  uint64_t number;
  size_t group;
};

template <typename T>
void AddDistributions(std::span<const T> a, std::span<const T> b, const Part& part) {
  Distribution of_a;
  Distribution of_b;
  Distribution of_error;
  of_a.Add(a);
  of_b.Add(b);
  of_error.AddDifferences(b, a);
  part.sets->a.Add(part.number, part.group, of_a);
  part.sets->b.Add(part.number, part.group, of_b);
  part.sets->error.Add(part.number, part.group, of_error);
}

template <typename T>
ComparisonSums CompareNumbers(std::span<const T> a, std::span<const T> b, const Part& part) {
  if (part.sets != nullptr) {
    AddDistributions(a, b, part);
  }
  return Compare(a, b);
}

void SkipDistributions(const Part& part) {
  if (part.sets != nullptr) {
    for (DistributionSet* set : {&part.sets->a, &part.sets->b, &part.sets->error}) {
      set->Add(part.number, part.group, {});
    }
  }
}

ComparisonSums CompareBand(Scanner& scanner, const ValuePair& pair, const ScanBand& band,
                           const Part& part) {
  const Pool::Buffer a = scanner.Read(*pair.a, band.first, band.count);
  const Pool::Buffer b = scanner.Read(*pair.b, band.first, band.count);
  scanner.Advance(*pair.a, band.first, band.count);
  scanner.Advance(*pair.b, band.first, band.count);
  if (pair.a->dtype() == pair.b->dtype() && pair.a->dtype() == DType::kF32) {
    return CompareNumbers(ValuesIn<float>(a, band.count), ValuesIn<float>(b, band.count), part);
  }
  if (pair.a->dtype() == pair.b->dtype() && pair.a->dtype() == DType::kF64) {
    return CompareNumbers(ValuesIn<double>(a, band.count), ValuesIn<double>(b, band.count), part);
  }
  SkipDistributions(part);
  return CompareBytes(ValuesIn<std::byte>(a, a.size()), ValuesIn<std::byte>(b, b.size()));
}

}  // namespace

std::vector<ComparisonSums> ComparePairs(Scanner& scanner, const std::vector<ValuePair>& pairs,
                                         PairDistributions* distributions) {
  std::vector<ValuePair> wide;
  std::vector<uint64_t> elements;
  std::vector<std::vector<ComparisonSums>> bands;  // kept until all are there: added in order
  std::vector<uint64_t> first_part;                // number of each pair's first band
  uint64_t parts = 0;
  uint64_t memory = 0;
  for (const ValuePair& pair : pairs) {
    wide.push_back(Widen(pair));
    elements.push_back(pair.a->shape().elements());
    bands.emplace_back(CountBands(elements.back()));
    first_part.push_back(parts);
    parts += bands.back().size();
    memory = std::max(memory, BandMemory(*wide.back().a) + BandMemory(*wide.back().b));
  }
  scanner.ForEachBand(elements, memory, [&](const ScanBand& band) {
    const size_t group = distributions == nullptr ? 0 : distributions->group_of[band.item];
    bands[band.item][band.index] = CompareBand(
        scanner, wide[band.item], band, {distributions, first_part[band.item] + band.index, group});
  });
  std::vector<ComparisonSums> out(pairs.size());
  for (size_t i = 0; i < pairs.size(); ++i) {
    for (const ComparisonSums& sums : bands[i]) {
      out[i].Add(sums);
    }
  }
  return out;
}

}  // namespace lbrx
