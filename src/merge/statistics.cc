#include "merge/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "check/scan.h"
#include "core/tensor/convert.h"
#include "merge/band_sums.h"
#include "merge/merged_value.h"
#include "merge/methods/ordered_sums.h"

namespace lbrx {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// What is read of each model at once; a divisor of a scan's band.
constexpr uint64_t kTileElements = uint64_t{32} << 10;

double Ratio(double part, double whole) {
  return whole == 0 ? kUnknown : part / whole;
}

double Share(uint64_t part, uint64_t whole) {
  return Ratio(static_cast<double>(part), static_cast<double>(whole));
}

// A tensor's inputs as floats.
struct Inputs {
  explicit Inputs(const MergeParts& parts)
      : base(parts.base == nullptr ? nullptr : AsFloats(parts.base)),
        merged(AsFloats(parts.merged)),
        dtype(parts.merged->dtype()) {
    for (const ValuePtr& member : parts.members) {
      members.push_back(AsFloats(member));
    }
  }

  uint64_t elements() const { return merged->shape().elements(); }

  std::vector<ValuePtr> members;
  ValuePtr base;  // may be null
  ValuePtr merged;
  DType dtype;  // that the merged tensor was rounded to
};

// Reads and measures one band.
std::vector<double> MeasureBand(const Inputs& inputs, const ScanBand& band, Scanner& scanner) {
  BandSums sums(inputs.members.size(), inputs.base != nullptr);
  const uint64_t end = band.first + band.count;
  for (uint64_t first = band.first; first < end; first += kTileElements) {
    const uint64_t count = std::min(kTileElements, end - first);
    std::vector<Pool::Buffer> buffers;
    const auto read = [&](const ValuePtr& value) {
      buffers.push_back(scanner.Read(*value, first, count));
      return reinterpret_cast<const float*>(buffers.back().data());
    };
    SumsTile tile{.first = first,
                  .count = count,
                  .members = {},
                  .base = nullptr,
                  .rounded = nullptr,
                  .merged = read(inputs.merged)};
    for (const ValuePtr& member : inputs.members) {
      tile.members.push_back(read(member));
      scanner.Advance(*member, first, count);
    }
    std::vector<float> rounded;
    if (inputs.base != nullptr) {
      tile.base = read(inputs.base);
      scanner.Advance(*inputs.base, first, count);
      rounded.assign(tile.base, tile.base + count);
      std::vector<std::byte> narrow(ElementBytes(inputs.dtype, count));
      Convert(DType::kF32, reinterpret_cast<const std::byte*>(rounded.data()), inputs.dtype,
              narrow.data(), count);
      Convert(inputs.dtype, narrow.data(), DType::kF32,
              reinterpret_cast<std::byte*>(rounded.data()), count);
      tile.rounded = rounded.data();
    }
    sums.Add(tile);
  }
  return sums.Figures();
}

std::vector<const Checkpoint*> Borrow(const SourceFiles::Checkpoints& files) {
  std::vector<const Checkpoint*> out;
  for (const auto& file : files) {
    out.push_back(file.get());
  }
  return out;
}

// What one band takes while it is measured.
uint64_t StepMemory(const MergeParts& parts) {
  const Inputs inputs(parts);
  const uint64_t count = std::min(inputs.elements(), kTileElements);
  const uint64_t tile = Pool::ClassSize(ElementBytes(DType::kF32, count));
  uint64_t most = inputs.merged->WorkingBytes(count);  // one is read at a time
  for (const ValuePtr& member : inputs.members) {
    most = std::max(most, member->WorkingBytes(count));
  }
  if (inputs.base != nullptr) {
    most = std::max(most, inputs.base->WorkingBytes(count));
  }
  const uint64_t vectors = (inputs.members.size() + 1) * kMergeBlock * sizeof(float);
  return (inputs.members.size() + 4) * tile + vectors + most;
}

}  // namespace

double MergeSums::RelativeNorm(size_t vector) const {
  return Ratio(Norm(vector), std::sqrt(squared_reference));
}

double MergeSums::Cosine(size_t a, size_t b) const {
  const double cosine = Ratio(products.at(a, b), Norm(a) * Norm(b));
  return std::isnan(cosine) ? cosine : std::clamp(cosine, -1.0, 1.0);
}

double MergeSums::MeanCosine() const {
  double sum = 0;
  double pairs = 0;
  for (size_t a = 0; a < models.size(); ++a) {
    for (size_t b = 0; b < a; ++b) {
      sum += Cosine(a, b);
      pairs += 1;
    }
  }
  return Ratio(sum, pairs);
}

double MergeSums::SignAgreement() const {
  return Share(agreeing, shared);
}

double MergeSums::TrimmedShare(size_t member) const {
  return Share(trimmed[member], changed[member]);
}

double MergeSums::TrimmedShare() const {
  uint64_t part = 0;
  uint64_t whole = 0;
  for (size_t m = 0; m < models.size(); ++m) {
    part += trimmed[m];
    whole += changed[m];
  }
  return Share(part, whole);
}

bool MergeSums::SameModels(const MergeSums& other) const {
  return has_base == other.has_base && models == other.models;
}

void MergeSums::Add(const MergeSums& other) {
  tensors += other.tensors;
  elements += other.elements;
  squared_reference += other.squared_reference;
  products.Add(other.products);
  for (size_t m = 0; m < models.size(); ++m) {
    changed[m] += other.changed[m];
    trimmed[m] += other.trimmed[m];
  }
  shared += other.shared;
  agreeing += other.agreeing;
}

std::vector<MergeSums> MeasureMerge(const std::vector<MergeParts>& parts,
                                    const SourceFiles::Checkpoints& files,
                                    const CheckOptions& options) {
  std::vector<Inputs> inputs;
  std::vector<uint64_t> elements;
  std::vector<std::unique_ptr<OrderedSums>> sums;
  for (const MergeParts& tensor : parts) {
    inputs.emplace_back(tensor);
    elements.push_back(inputs.back().elements());
    sums.push_back(std::make_unique<OrderedSums>(BandSums::CountFigures(tensor.members.size())));
  }
  Scanner scanner(Borrow(files), options);
  scanner.ForEachBand(elements, StatisticsMemory(parts), [&](const ScanBand& band) {
    sums[band.item]->Add(band.index, MeasureBand(inputs[band.item], band, scanner));
  });
  std::vector<MergeSums> out;
  for (size_t i = 0; i < parts.size(); ++i) {
    BandSums whole(parts[i].members.size(), parts[i].base != nullptr);
    out.push_back(std::move(whole).Restore(sums[i]->Finish()));
    out.back().models = parts[i].labels;
    out.back().tensors = 1;
    out.back().elements = elements[i];
  }
  return out;
}

uint64_t StatisticsBytes(const std::vector<MergeParts>& parts) {
  uint64_t bytes = 0;
  for (const MergeParts& tensor : parts) {
    for (const ValuePtr& member : tensor.members) {
      bytes += member->SourceBytes();
    }
    bytes += tensor.base == nullptr ? 0 : tensor.base->SourceBytes();
  }
  return bytes;
}

uint64_t StatisticsMemory(const std::vector<MergeParts>& parts) {
  uint64_t most = 0;
  for (const MergeParts& tensor : parts) {
    most = std::max(most, StepMemory(tensor));
  }
  return most;
}

}  // namespace lbrx
