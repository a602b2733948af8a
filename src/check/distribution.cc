#include "check/distribution.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "check/scan.h"
#include "stream/layout.h"

namespace lbrx {
namespace {

// Sums in independent chains, as a processor likes them; their number fixes the order.
constexpr size_t kLanes = 8;

// Values looked at together: few enough for the stack and the nearest cache.
constexpr size_t kRun = 4096;

double SumOf(const std::array<double, kLanes>& lanes) {
  double sum = 0;
  for (const double lane : lanes) {
    sum += lane;
  }
  return sum;
}

template <typename T>
Moments MomentsOf(std::span<const T> finite) {
  Moments moments;
  if (finite.empty()) {
    return moments;
  }
  std::array<double, kLanes> sums{};
  for (size_t i = 0; i < finite.size(); ++i) {
    sums[i % kLanes] += static_cast<double>(finite[i]);
  }
  moments.count = finite.size();
  const auto [least, most] = std::minmax_element(finite.begin(), finite.end());
  moments.min = static_cast<double>(*least);
  moments.max = static_cast<double>(*most);
  moments.mean = SumOf(sums) / static_cast<double>(finite.size());
  std::array<double, kLanes> squares{};
  for (size_t i = 0; i < finite.size(); ++i) {
    const double deviation = static_cast<double>(finite[i]) - moments.mean;
    squares[i % kLanes] += deviation * deviation;
  }
  moments.squares = SumOf(squares);
  return moments;
}

template <typename T>
void AddRun(std::span<const T> values, Distribution& out) {
  std::array<T, kRun> kept;
  size_t count = 0;
  Moments odd;
  for (const T value : values) {
    if (std::isfinite(value)) {
      kept[count++] = value;
    } else {
      ++(std::isnan(value) ? odd.nan : odd.infinite);
    }
  }
  const std::span<const T> finite(kept.data(), count);
  out.moments.Add(odd);
  out.moments.Add(MomentsOf(finite));
  out.histogram.Add(finite);
}

template <typename T>
void AddRuns(std::span<const T> values, Distribution& out) {
  for (size_t first = 0; first < values.size(); first += kRun) {
    AddRun(values.subspan(first, std::min(kRun, values.size() - first)), out);
  }
}

template <typename T>
void AddDifferencesOf(std::span<const T> a, std::span<const T> b, Distribution& out) {
  std::array<double, kRun> differences;
  for (size_t first = 0; first < a.size(); first += kRun) {
    const size_t count = std::min(kRun, a.size() - first);
    for (size_t i = 0; i < count; ++i) {
      differences[i] = static_cast<double>(a[first + i]) - static_cast<double>(b[first + i]);
    }
    AddRun(std::span<const double>(differences.data(), count), out);
  }
}

}  // namespace

void Moments::Add(const Moments& other) {
  nan += other.nan;
  infinite += other.infinite;
  if (other.count == 0) {
    return;
  }
  const double mine = static_cast<double>(count);
  const double others = static_cast<double>(other.count);
  const double apart = other.mean - mean;
  count += other.count;
  min = std::min(min, other.min);
  max = std::max(max, other.max);
  mean += apart * (others / (mine + others));
  squares += other.squares + apart * apart * (mine * others / (mine + others));
}

double Moments::Deviation() const {
  return count == 0 ? 0 : std::sqrt(squares / static_cast<double>(count));
}

void Distribution::Add(std::span<const float> values) {
  AddRuns(values, *this);
}

void Distribution::Add(std::span<const double> values) {
  AddRuns(values, *this);
}

void Distribution::AddDifferences(std::span<const float> a, std::span<const float> b) {
  AddDifferencesOf(a, b, *this);
}

void Distribution::AddDifferences(std::span<const double> a, std::span<const double> b) {
  AddDifferencesOf(a, b, *this);
}

void DistributionSet::Add(uint64_t number, size_t group, const Distribution& part) {
  const std::lock_guard lock(mutex_);
  groups_[group].histogram.Add(part.histogram);
  waiting_.emplace(number, Waiting{group, part.moments});
  while (!waiting_.empty() && waiting_.begin()->first == next_) {
    const Waiting& waiting = waiting_.begin()->second;
    groups_[waiting.group].moments.Add(waiting.moments);
    waiting_.erase(waiting_.begin());
    ++next_;
  }
}

std::vector<Distribution> Distributions(const Checkpoint& checkpoint,
                                        std::span<const size_t> group_of, size_t groups,
                                        const CheckOptions& options) {
  Scanner scanner({&checkpoint}, options);
  std::vector<ValuePtr> values;
  std::vector<uint64_t> elements;
  std::vector<size_t> group;         // of each value
  std::vector<uint64_t> first_part;  // number of each value's first band
  uint64_t parts = 0;
  uint64_t memory = 0;
  const std::vector<NamedValue> stored = AsStored(scanner.sources(), 0);
  for (size_t i = 0; i < stored.size(); ++i) {
    const std::optional<DType> type = NumberType(stored[i].value->dtype());
    if (group_of[i] == kNoGroup || !type) {
      scanner.Advance(stored[i].value->SourceBytes());
      continue;
    }
    values.push_back(CastTo(stored[i].value, *type));
    elements.push_back(values.back()->shape().elements());
    group.push_back(group_of[i]);
    first_part.push_back(parts);
    parts += CountBands(elements.back());
    memory = std::max(memory, BandMemory(*values.back()));
  }
  DistributionSet set(groups);
  scanner.ForEachBand(elements, memory, [&](const ScanBand& band) {
    const Value& value = *values[band.item];
    const Pool::Buffer buffer = scanner.Read(value, band.first, band.count);
    Distribution part;
    if (value.dtype() == DType::kF64) {
      part.Add(ValuesIn<double>(buffer, band.count));
    } else {
      part.Add(ValuesIn<float>(buffer, band.count));
    }
    set.Add(first_part[band.item] + band.index, group[band.item], part);
    scanner.Advance(value, band.first, band.count);
  });
  return set.Take();
}

}  // namespace lbrx
