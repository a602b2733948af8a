#include "merge/statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>

#include "check/scan.h"
#include "core/tensor/convert.h"
#include "merge/merged_value.h"
#include "merge/methods/elementwise.h"
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

// Elements of all inputs.
struct Tile {
  uint64_t first;
  size_t count;
  std::vector<const float*> members;
  const float* base;     // may be null
  const float* rounded;  // the base in the merged tensor's dtype; null without base
  const float* merged;
};

// The sums of one band.
class BandSums {
 public:
  BandSums(size_t members, bool has_base)
      : members_(members),
        sums_{.models = std::vector<std::string>(members),
              .has_base = has_base,
              .products = Gram(members + 1),
              .changed = std::vector<uint64_t>(members),
              .trimmed = std::vector<uint64_t>(members)},
        lanes_((members + 1) * (members + 2) / 2),
        vectors_((members + 1) * kMergeBlock) {}

  void Add(const Tile& tile) {
    for (size_t offset = 0; offset < tile.count; offset += kMergeBlock) {
      const size_t count = std::min(kMergeBlock, tile.count - offset);
      FindVectors(tile, offset, count);
      AddAllProducts(tile.first + offset, count);
      Count(tile, offset, count);
    }
  }

  // All figures, to be added up with those of other bands; Restore is the way back.
  std::vector<double> Figures() {
    std::vector<double> figures = {Total(reference_lanes_), static_cast<double>(sums_.shared),
                                   static_cast<double>(sums_.agreeing)};
    for (const DotLanes& lanes : lanes_) {
      figures.push_back(Total(lanes));
    }
    figures.insert(figures.end(), sums_.changed.begin(), sums_.changed.end());
    figures.insert(figures.end(), sums_.trimmed.begin(), sums_.trimmed.end());
    return figures;
  }

  static size_t CountFigures(size_t members) {
    return 3 + (members + 1) * (members + 2) / 2 + 2 * members;
  }

  MergeSums Restore(const std::vector<double>& figures) && {
    const double* next = figures.data();
    sums_.squared_reference = *next++;
    sums_.shared = static_cast<uint64_t>(*next++);
    sums_.agreeing = static_cast<uint64_t>(*next++);
    for (size_t i = 0; i <= members_; ++i) {
      for (size_t j = 0; j <= i; ++j) {
        sums_.products.at(i, j) = *next++;
      }
    }
    for (std::vector<uint64_t>* counts : {&sums_.changed, &sums_.trimmed}) {
      for (uint64_t& count : *counts) {
        count = static_cast<uint64_t>(*next++);
      }
    }
    return std::move(sums_);
  }

 private:
  float* Vector(size_t i) { return vectors_.data() + i * kMergeBlock; }

  // The base, or the mean of the members rounded once, in `reference_`; all less that in
  // `vectors_`.
  void FindVectors(const Tile& tile, size_t offset, size_t count) {
    if (tile.base != nullptr) {
      std::copy_n(tile.base + offset, count, reference_.data());
    } else {
      std::array<double, kMergeBlock> sum{};
      for (const float* member : tile.members) {
        for (size_t i = 0; i < count; ++i) {
          sum[i] += member[offset + i];
        }
      }
      for (size_t i = 0; i < count; ++i) {
        reference_[i] = static_cast<float>(sum[i] / static_cast<double>(members_));
      }
    }
    for (size_t v = 0; v <= members_; ++v) {
      const float* values = (v == members_ ? tile.merged : tile.members[v]) + offset;
      float* out = Vector(v);
      for (size_t i = 0; i < count; ++i) {
        out[i] = values[i] - reference_[i];
      }
    }
  }

  void AddAllProducts(uint64_t first, size_t count) {
    AddProducts(reference_.data(), reference_.data(), first, count, reference_lanes_);
    DotLanes* lanes = lanes_.data();
    for (size_t i = 0; i <= members_; ++i) {
      for (size_t j = 0; j <= i; ++j) {
        AddProducts(Vector(i), Vector(j), first, count, *lanes++);
      }
    }
  }

  // Runs of flags, so that compilers use vectors.
  void Count(const Tile& tile, size_t offset, size_t count) {
    std::array<uint8_t, kMergeBlock> up{};
    std::array<uint8_t, kMergeBlock> down{};
    std::array<uint32_t, kMergeBlock> movers{};
    for (size_t m = 0; m < members_; ++m) {
      const float* delta = Vector(m);
      for (size_t i = 0; i < count; ++i) {
        up[i] |= static_cast<uint8_t>(delta[i] > 0);
        down[i] |= static_cast<uint8_t>(delta[i] < 0);
        movers[i] += static_cast<uint32_t>(delta[i] != 0);
      }
      if (tile.base != nullptr) {
        CountTrimmed(delta, tile.rounded + offset, tile.merged + offset, count, m);
      }
    }
    for (size_t i = 0; i < count; ++i) {
      const bool shared = movers[i] > 1;
      sums_.shared += static_cast<uint64_t>(shared);
      sums_.agreeing += static_cast<uint64_t>(shared && up[i] != down[i]);
    }
  }

  void CountTrimmed(const float* delta, const float* base, const float* merged, size_t count,
                    size_t member) {
    uint32_t changed = 0;
    uint32_t trimmed = 0;
    for (size_t i = 0; i < count; ++i) {
      const auto moved = static_cast<uint32_t>(delta[i] != 0);
      changed += moved;
      trimmed += moved & static_cast<uint32_t>(merged[i] == base[i]);
    }
    sums_.changed[member] += changed;
    sums_.trimmed[member] += trimmed;
  }

  const size_t members_;
  MergeSums sums_;
  DotLanes reference_lanes_{};
  std::vector<DotLanes> lanes_;
  std::vector<float> vectors_;
  std::array<float, kMergeBlock> reference_{};
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
    Tile tile{.first = first,
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
