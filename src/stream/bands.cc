#include "stream/bands.h"

#include <algorithm>
#include <numeric>

namespace lbrx {
namespace {

// Small enough to stay in a core's cache between reading, computing and writing.
constexpr uint64_t kBandBytes = uint64_t{1} << 20;

void Cut(const Value& value, uint64_t granule, uint64_t begin, uint64_t end, Band band,
         std::vector<Band>& bands) {
  const uint64_t fitting = kBandBytes * 8 / Info(value.dtype()).bits;
  const uint64_t step = std::max<uint64_t>(fitting / granule, 1) * granule;
  for (band.first = begin; band.first < end; band.first += step) {
    band.count = std::min(step, end - band.first);
    bands.push_back(band);
  }
}

void Cut(const Value& value, uint64_t granule, Band band, std::vector<Band>& bands) {
  Cut(value, granule, 0, value.shape().elements(), band, bands);
}

// Elements over which the columns have the same importance: all, or those of an expert.
uint64_t ElementsOfImportance(const PlannedTensor& tensor) {
  const Shape& shape = tensor.output.shape;
  return shape.elements() / (tensor.importance->size() / shape.back());
}

// At whole rows, and where the importance of the columns changes.
void CutByImportance(const PlannedTensor& tensor, Band band, std::vector<Band>& bands) {
  const Value& value = *tensor.value;
  const uint64_t row = value.shape().back();
  const uint64_t slice = ElementsOfImportance(tensor);
  for (uint64_t begin = 0; begin < value.shape().elements(); begin += slice) {
    Cut(value, std::lcm(value.granule(), row), begin, begin + slice, band, bands);
  }
}

// Memory for all planes of `elements` elements, a buffer each.
uint64_t BuffersFor(const Encoding& encoding, uint64_t elements) {
  uint64_t bytes = 0;
  for (const Plane& plane : PlanesOf(encoding, Shape({1, elements}))) {
    bytes += Pool::ClassSize(PlaneBytes(plane));
  }
  return bytes;
}

}  // namespace

std::vector<Band> CutIntoBands(const Plan& plan) {
  std::vector<Band> bands;
  for (uint32_t i = 0; i < plan.tensors.size(); ++i) {
    const PlannedTensor& tensor = plan.tensors[i];
    for (size_t plane = 0; plane < tensor.copies.size(); ++plane) {
      const Value& value = *tensor.copies[plane];
      Cut(value, value.granule(), {i, static_cast<int32_t>(plane), 0, 0}, bands);
    }
    if (tensor.value != nullptr && tensor.importance != nullptr) {
      CutByImportance(tensor, {i, Band::kWholeTensor, 0, 0}, bands);
    } else if (tensor.value != nullptr) {
      const Value& value = *tensor.value;
      const uint64_t granule = std::lcm(value.granule(), Granule(tensor.output.encoding));
      Cut(value, granule, {i, Band::kWholeTensor, 0, 0}, bands);
    }
  }
  return bands;
}

const Value& ValueOf(const Plan& plan, const Band& band) {
  const PlannedTensor& tensor = plan.tensors[band.tensor];
  return band.plane == Band::kWholeTensor ? *tensor.value : *tensor.copies[band.plane];
}

const float* ImportanceAt(const PlannedTensor& tensor, uint64_t first) {
  if (tensor.importance == nullptr) {
    return nullptr;
  }
  return tensor.importance->data() +
         first / ElementsOfImportance(tensor) * tensor.output.shape.back();
}

uint64_t ProgressBytes(const Plan& plan, const Band& band) {
  const Value& value = ValueOf(plan, band);
  const auto all = static_cast<double>(value.shape().elements());
  const auto part = [&](uint64_t elements) {
    const double share = static_cast<double>(elements) / all;  // exactly 1 at the end
    return static_cast<uint64_t>(static_cast<double>(value.SourceBytes()) * share);
  };
  return part(band.first + band.count) - part(band.first);
}

uint64_t PlanePart(const OutputTensor& tensor, size_t plane, uint64_t elements) {
  if (tensor.encoding.scheme == Scheme::kPlain) {
    return ElementBytes(tensor.encoding.dtype, elements);
  }
  // Whole: every plane has a whole number of bytes per granule.
  const uint64_t granule = Granule(tensor.encoding);
  return tensor.planes[plane].bytes / (tensor.shape.elements() / granule) * (elements / granule);
}

uint64_t WorkingBytes(const Plan& plan, const Band& band, bool measure) {
  const Value& value = ValueOf(plan, band);
  const PlannedTensor& tensor = plan.tensors[band.tensor];
  const uint64_t bytes =
      Pool::ClassSize(ElementBytes(value.dtype(), band.count)) + value.WorkingBytes(band.count);
  if (band.plane != Band::kWholeTensor || tensor.output.encoding.scheme == Scheme::kPlain) {
    return bytes;
  }
  const uint64_t floats = Pool::ClassSize(ElementBytes(DType::kF32, band.count));
  const bool decodes = measure || !tensor.candidates.empty();
  return bytes + BuffersFor(tensor.output.encoding, band.count) + (decodes ? 2 * floats : 0);
}

}  // namespace lbrx
