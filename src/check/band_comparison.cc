#include "check/band_comparison.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "check/compare.h"
#include "check/scan.h"
#include "core/base/checked.h"
#include "core/tensor/convert.h"
#include "stream/bands.h"

namespace lbrx {
namespace {

constexpr uint64_t kChunkBytes = uint64_t{128} << 10;
constexpr uint64_t kChunkElements = uint64_t{1} << 14;  // a multiple of every scheme's granule
constexpr uint64_t kKeptBytes = uint64_t{16} << 20;

using Buffers = std::vector<Pool::Buffer>;

bool IsSame(const Pool::Buffer& a, const Pool::Buffer& b) {
  return std::memcmp(a.data(), b.data(), a.size()) == 0;
}

double Difference(Pool& pool, DType dtype, std::span<const std::byte> a,
                  std::span<const std::byte> b) {
  const std::optional<DType> type = NumberType(dtype);
  if (!type) {
    return CompareBytes(a, b).max_difference;
  }
  const uint64_t count = a.size() * 8 / Info(dtype).bits;
  Pool::Buffer x = pool.Get(ElementBytes(*type, count));
  Pool::Buffer y = pool.Get(ElementBytes(*type, count));
  Convert(dtype, a.data(), *type, x.data(), count);
  Convert(dtype, b.data(), *type, y.data(), count);
  return *type == DType::kF64
             ? Compare(ValuesIn<double>(x, count), ValuesIn<double>(y, count)).max_difference
             : Compare(ValuesIn<float>(x, count), ValuesIn<float>(y, count)).max_difference;
}

Pool::Buffer Decoded(Pool& pool, const Encoding& encoding, const Buffers& planes, uint64_t count) {
  Pool::Buffer values = pool.Get(count * sizeof(float));
  std::vector<const std::byte*> starts;
  for (const Pool::Buffer& plane : planes) {
    starts.push_back(plane.data());
  }
  FindCodec(encoding.scheme)
      ->decode({.encoding = encoding,
                .dtype = DType::kF32,
                .planes = starts,
                .elements = count,
                .values = values.data()});
  return values;
}

// The fewest elements of the tensor whose parts of every plane can be read from its copies.
uint64_t StepOfCopies(const PlannedTensor& tensor) {
  const uint64_t elements = tensor.output.shape.elements();
  uint64_t step = Granule(tensor.output.encoding);
  for (const ValuePtr& copy : tensor.copies) {
    // `of_plane` elements of the plane stand for `of_tensor` of the tensor.
    const uint64_t common = std::max<uint64_t>(std::gcd(elements, copy->shape().elements()), 1);
    const uint64_t of_tensor = elements / common;
    const uint64_t of_plane = std::max<uint64_t>(copy->shape().elements() / common, 1);
    step = std::lcm(step, std::lcm(of_plane, copy->granule()) / of_plane * of_tensor);
  }
  return step;
}

}  // namespace

BandComparison::BandComparison(const Plan& plan, const SourceFiles::Checkpoints& made,
                               std::vector<const SourceTensor*> stored)
    : plan_(plan),
      made_(made),
      sources_(plan.sources),
      files_(made_),
      stored_(std::move(stored)),
      pool_(kKeptBytes),
      sums_(plan.tensors.size()) {
  for (size_t i = 0; i < sums_.size(); ++i) {
    sums_[i].planes.resize(plan.tensors[i].output.planes.size());
  }
}

void BandComparison::ReadStored(size_t tensor, size_t plane, uint64_t offset,
                                std::span<std::byte> out) {
  const uint32_t array = stored_[tensor]->planes[plane];
  files_.Read(0, made_[0]->arrays[array], offset, out);
}

BandComparison::PlaneSums BandComparison::ComparePlane(size_t tensor, const PlaneRun& run) {
  PlaneSums sums;
  Pool::Buffer buffer = pool_.Get(std::min<uint64_t>(kChunkBytes, run.bytes.size()));
  for (uint64_t at = 0; at < run.bytes.size(); at += kChunkBytes) {
    const auto computed =
        run.bytes.subspan(at, std::min<uint64_t>(kChunkBytes, run.bytes.size() - at));
    const auto stored = buffer.span().first(computed.size());
    ReadStored(tensor, run.plane, run.offset + at, stored);
    if (std::memcmp(computed.data(), stored.data(), computed.size()) == 0) {
      continue;
    }
    for (size_t i = 0; i < computed.size(); ++i) {
      if (computed[i] != stored[i] && sums.different++ == 0) {
        sums.first = run.offset + at + i;
      }
    }
  }
  return sums;
}

void BandComparison::Take(const BandResult& band) {
  std::vector<PlaneSums> found;
  uint64_t bytes = 0;
  bool differs = false;
  for (const PlaneRun& run : band.planes) {
    found.push_back(ComparePlane(band.tensor, run));
    differs = differs || found.back().different != 0;
    bytes += run.bytes.size();
  }
  const double difference = differs ? LargestDifference(band) : 0;
  const std::lock_guard lock(mutex_);
  bytes_ += bytes;
  TensorSums& sums = sums_[band.tensor];
  sums.max_difference = std::max(sums.max_difference, difference);
  for (size_t i = 0; i < found.size(); ++i) {
    PlaneSums& plane = sums.planes[band.planes[i].plane];
    if (found[i].different != 0) {
      plane.first = plane.different == 0 ? found[i].first : std::min(plane.first, found[i].first);
      plane.different += found[i].different;
    }
  }
}

double BandComparison::LargestDifference(const BandResult& band) {
  const PlannedTensor& planned = plan_.tensors[band.tensor];
  const OutputTensor& output = planned.output;
  if (output.encoding.scheme == Scheme::kPlain) {
    return PlainDifference(band.tensor, band.planes[0]);
  }
  if (!planned.copies.empty()) {
    return CopiedDifference(band.tensor, band.planes[0]);
  }
  const PlaneRun& run = band.planes[0];
  const uint64_t granule = Granule(output.encoding);
  const uint64_t granule_bytes = PlanePart(output, 0, granule);
  const Elements elements = {.first = run.offset / granule_bytes * granule,
                             .count = run.bytes.size() / granule_bytes * granule};
  return EncodedDifference(
      band.tensor, elements, kChunkElements, [&](Elements part, Buffers& planes) {
        for (size_t i = 0; i < planes.size(); ++i) {
          const uint64_t begin = PlanePart(output, i, part.first - elements.first);
          std::memcpy(planes[i].data(), band.planes[i].bytes.data() + begin, planes[i].size());
        }
      });
}

double BandComparison::PlainDifference(size_t tensor, const PlaneRun& run) {
  const DType dtype = plan_.tensors[tensor].output.encoding.dtype;
  double most = 0;
  Pool::Buffer buffer = pool_.Get(std::min<uint64_t>(kChunkBytes, run.bytes.size()));
  for (uint64_t at = 0; at < run.bytes.size(); at += kChunkBytes) {
    const auto computed =
        run.bytes.subspan(at, std::min<uint64_t>(kChunkBytes, run.bytes.size() - at));
    const auto stored = buffer.span().first(computed.size());
    ReadStored(tensor, run.plane, run.offset + at, stored);
    if (std::memcmp(computed.data(), stored.data(), computed.size()) != 0) {
      most = std::max(most, Difference(pool_, dtype, computed, stored));
    }
  }
  return most;
}

template <typename Computed>
double BandComparison::EncodedDifference(size_t tensor, Elements elements, uint64_t step,
                                         const Computed& computed) {
  const OutputTensor& output = plan_.tensors[tensor].output;
  double most = 0;
  Elements part{};
  for (uint64_t at = 0; at < elements.count; at += step) {
    part = {.first = elements.first + at, .count = std::min(step, elements.count - at)};
    Buffers ours;
    Buffers theirs;
    for (size_t i = 0; i < output.planes.size(); ++i) {
      const uint64_t bytes = PlanePart(output, i, part.count);
      ours.push_back(pool_.Get(bytes));
      theirs.push_back(pool_.Get(bytes));
      ReadStored(tensor, i, PlanePart(output, i, part.first), theirs.back().span());
    }
    computed(part, ours);
    if (!std::equal(ours.begin(), ours.end(), theirs.begin(), IsSame)) {
      const Pool::Buffer a = Decoded(pool_, output.encoding, ours, part.count);
      const Pool::Buffer b = Decoded(pool_, output.encoding, theirs, part.count);
      const ComparisonSums sums =
          Compare(ValuesIn<float>(a, part.count), ValuesIn<float>(b, part.count));
      most = std::max(most, sums.max_difference);
    }
  }
  return most;
}

// The elements that a run of one plane has a part in, with their parts of the other planes.
double BandComparison::CopiedDifference(size_t tensor, const PlaneRun& run) {
  const PlannedTensor& planned = plan_.tensors[tensor];
  const uint64_t step = StepOfCopies(planned);
  const uint64_t granule = Granule(planned.output.encoding);
  const uint64_t granule_bytes = PlanePart(planned.output, run.plane, granule);
  const uint64_t first = run.offset / granule_bytes * granule / step * step;
  const uint64_t end =
      std::min(RoundUp(CeilDiv(run.offset + run.bytes.size(), granule_bytes) * granule, step),
               planned.output.shape.elements());
  const Elements elements = {.first = first, .count = end - first};
  const uint64_t chunk = std::max<uint64_t>(kChunkElements / step, 1) * step;
  ReadContext context{sources_, pool_, NonFinitePolicy::kKeep, nullptr};
  return EncodedDifference(tensor, elements, chunk, [&](Elements part, Buffers& planes) {
    for (size_t i = 0; i < planes.size(); ++i) {
      const Value& copy = *planned.copies[i];
      const uint64_t count = planes[i].size() * 8 / Info(copy.dtype()).bits;
      const uint64_t begin = PlanePart(planned.output, i, part.first) * 8 / Info(copy.dtype()).bits;
      copy.Read(context, begin, count, planes[i].data());
    }
  });
}

}  // namespace lbrx
