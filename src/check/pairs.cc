#include "check/pairs.h"

#include <algorithm>

#include "core/tensor/convert.h"

namespace lbrx {
namespace {

bool NeedsDouble(DType dtype) {
  switch (dtype) {
    case DType::kF64:
    case DType::kI32:
    case DType::kU32:
    case DType::kI64:
    case DType::kU64:
      return true;
    default:
      return false;
  }
}

// The pair in the type in which it is compared; as it is where there are no numbers to compare.
ValuePair Widen(const ValuePair& pair) {
  const DType a = pair.a->dtype();
  const DType b = pair.b->dtype();
  const DType wide = NeedsDouble(a) || NeedsDouble(b) ? DType::kF64 : DType::kF32;
  if (!CanConvert(a, wide) || !CanConvert(b, wide)) {
    return pair;
  }
  return {CastTo(pair.a, wide), CastTo(pair.b, wide)};
}

template <typename T>
std::span<const T> As(const Pool::Buffer& buffer, uint64_t count) {
  return {reinterpret_cast<const T*>(buffer.data()), count};
}

ComparisonSums CompareBand(Scanner& scanner, const ValuePair& pair, const ScanBand& band) {
  const Pool::Buffer a = scanner.Read(*pair.a, band.first, band.count);
  const Pool::Buffer b = scanner.Read(*pair.b, band.first, band.count);
  scanner.Advance(*pair.a, band.first, band.count);
  scanner.Advance(*pair.b, band.first, band.count);
  if (pair.a->dtype() == pair.b->dtype() && pair.a->dtype() == DType::kF32) {
    return Compare(As<float>(a, band.count), As<float>(b, band.count));
  }
  if (pair.a->dtype() == pair.b->dtype() && pair.a->dtype() == DType::kF64) {
    return Compare(As<double>(a, band.count), As<double>(b, band.count));
  }
  return CompareBytes(As<std::byte>(a, a.size()), As<std::byte>(b, b.size()));
}

}  // namespace

std::vector<ComparisonSums> ComparePairs(Scanner& scanner, const std::vector<ValuePair>& pairs) {
  std::vector<ValuePair> wide;
  std::vector<uint64_t> elements;
  std::vector<std::vector<ComparisonSums>> bands;  // kept until all are there: added in order
  uint64_t memory = 0;
  for (const ValuePair& pair : pairs) {
    wide.push_back(Widen(pair));
    elements.push_back(pair.a->shape().elements());
    bands.emplace_back(CountBands(elements.back()));
    memory = std::max(memory, BandMemory(*wide.back().a) + BandMemory(*wide.back().b));
  }
  scanner.ForEachBand(elements, memory, [&](const ScanBand& band) {
    bands[band.item][band.index] = CompareBand(scanner, wide[band.item], band);
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
