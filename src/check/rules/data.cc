#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <deque>
#include <limits>
#include <map>
#include <mutex>
#include <span>
#include <tuple>

#include "check/rules/rules.h"
#include "check/scan.h"
#include "core/base/format.h"
#include "core/base/hash.h"
#include "core/tensor/convert.h"

namespace lbrx {
namespace {

// What is found in one stream. Its result does not depend on the order of bands.
class Finding {
 public:
  void Add(const NonFinite& found, uint64_t first) {
    if (found.count != 0) {
      const std::lock_guard lock(mutex_);
      first_ = count_ == 0 ? first + found.first : std::min(first_, first + found.first);
      count_ += found.count;
    }
  }

  // Bands in any order give the same sum.
  void AddHash(std::span<const std::byte> data, uint64_t first) {
    const std::array<uint64_t, 2> part = {Hash64(data), first};
    hash_.fetch_add(Hash64(std::as_bytes(std::span(part))), std::memory_order_relaxed);
  }

  uint64_t hash() const { return hash_.load(std::memory_order_relaxed); }

  void SetNonZero() { nonzero_.store(true, std::memory_order_relaxed); }

  bool nonzero() const { return nonzero_.load(std::memory_order_relaxed); }

  uint64_t count() const { return count_; }

  uint64_t first() const { return first_; }

 private:
  std::mutex mutex_;
  uint64_t count_ = 0;  // of NaN and infinities
  uint64_t first_ = 0;  // element
  std::atomic<bool> nonzero_{false};
  std::atomic<uint64_t> hash_{0};
};

// A tensor's values, or one of its planes of scales.
struct Stream {
  const SourceTensor* tensor;
  const StoredArray* array;  // nullptr: decoded values
  ValuePtr value;
  DType meaning;  // of the elements: scales are stored as U8 but mean E8M0 or E4M3
};

DType ScaleMeaning(Scheme scheme, DType stored) {
  switch (scheme) {
    case Scheme::kMxfp4:
    case Scheme::kMxfp8:
      return DType::kF8E8M0;
    case Scheme::kNvfp4:
      return DType::kF8E4M3;
    default:
      return stored;
  }
}

// The planes of a tensor first: a bad scale explains the bad values that come of it.
std::vector<Stream> ListStreams(const Scanner& scanner, const Checkpoint& checkpoint) {
  std::vector<Stream> streams;
  for (const SourceTensor& tensor : checkpoint.tensors) {
    for (size_t i = 1; i < tensor.planes.size(); ++i) {
      const StoredArray& array = checkpoint.arrays[tensor.planes[i]];
      streams.push_back({&tensor, &array,
                         LoadArray(scanner.sources(), 0, tensor.planes[i], /*check=*/false),
                         ScaleMeaning(tensor.encoding.scheme, array.dtype)});
    }
    ValuePtr value = LoadTensor(scanner.sources(), 0, tensor);
    const DType dtype = value->dtype();
    streams.push_back({&tensor, nullptr, std::move(value), dtype});
  }
  return streams;
}

// Whether an element of type T is neither 0 nor, where the first bit is a sign, -0.
template <typename T>
bool AnyNonZero(const std::byte* data, size_t count, bool has_sign) {
  const T mask = has_sign ? std::numeric_limits<T>::max() >> 1 : std::numeric_limits<T>::max();
  for (size_t i = 0; i < count; ++i) {
    T bits;
    std::memcpy(&bits, data + i * sizeof(T), sizeof(T));
    if ((bits & mask) != 0) {
      return true;
    }
  }
  return false;
}

bool HasNonZero(DType dtype, const std::byte* data, uint64_t count) {
  const bool has_sign = Info(dtype).floating && dtype != DType::kF8E8M0;
  switch (Info(dtype).bits) {
    case 8:
      return AnyNonZero<uint8_t>(data, count, has_sign);
    case 16:
      return AnyNonZero<uint16_t>(data, count, has_sign);
    case 32:
      return AnyNonZero<uint32_t>(data, count, has_sign);
    default:  // 4, 6: packed; 64
      return AnyNonZero<uint8_t>(data, ElementBytes(dtype, count), false);
  }
}

std::string Position(const Shape& shape, uint64_t element) {
  Shape position = shape;
  for (size_t i = shape.rank(); i-- > 0;) {
    position[i] = element % shape[i];
    element /= shape[i];
  }
  return position.ToString();
}

Problem StreamProblem(const Subject& subject, const Stream& stream, Severity severity) {
  Problem problem;
  problem.severity = severity;
  problem.detail.file = stream.array == nullptr ? subject.FileOf(*stream.tensor)
                                                : subject.checkpoint.files[stream.array->file].path;
  problem.detail.object = stream.array == nullptr ? stream.tensor->name : stream.array->name;
  return problem;
}

// Where the element is in the file; nullopt for decoded values, which have no such place.
std::optional<uint64_t> ByteOffset(const Subject& subject, const Stream& stream, uint64_t element) {
  const StoredArray* array = stream.array;
  if (array == nullptr && stream.tensor->encoding.scheme == Scheme::kPlain) {
    array = &subject.checkpoint.arrays[stream.tensor->planes[0]];
  }
  if (array == nullptr) {
    return std::nullopt;
  }
  return array->offset + element * Info(array->dtype).bits / 8;
}

void AddNonFinite(const Subject& subject, const Stream& stream, const Finding& finding,
                  Problems& problems) {
  Problem problem = StreamProblem(subject, stream, Severity::kError);
  const Shape& shape = stream.value->shape();
  problem.detail.what = stream.array == nullptr ? "holds NaN or infinite values"
                                                : "holds scales that are NaN or infinite";
  problem.detail.expected = "finite values";
  problem.detail.found = Format("{} of {} non-finite, the first at {}", finding.count(),
                                shape.elements(), Position(shape, finding.first()));
  problem.detail.offset = ByteOffset(subject, stream, finding.first());
  problem.detail.advice = "get an undamaged copy; --allow-nonfinite converts it all the same";
  problems.push_back(std::move(problem));
}

// A plane whose zeros say that all values of the tensor are their groups' biases, or zero.
bool IsScalePlane(const Stream& stream) {
  const Scheme scheme = stream.tensor->encoding.scheme;
  return stream.array != nullptr && stream.array->name.ends_with(".scales") &&
         (scheme == Scheme::kAffine || scheme == Scheme::kNvfp4);
}

void AddZero(const Subject& subject, const Stream& stream, std::string what, Problems& problems) {
  Problem problem = StreamProblem(subject, stream, Severity::kWarning);
  problem.detail.what = std::move(what);
  problem.detail.advice = "compare with the original: the tensor may never have been written";
  problems.push_back(std::move(problem));
}

bool IsFloatMatrix(const Stream& stream) {
  return stream.array == nullptr && Info(stream.meaning).floating &&
         stream.value->shape().rank() >= 2 && stream.value->shape().elements() != 0;
}

void Report(const Subject& subject, const std::vector<Stream>& streams,
            const std::deque<Finding>& findings, Problems& problems) {
  const SourceTensor* explained = nullptr;  // a tensor whose planes have a problem
  for (size_t i = 0; i < streams.size(); ++i) {
    const Stream& stream = streams[i];
    if (stream.array == nullptr && stream.tensor == explained) {
      continue;
    }
    const size_t before = problems.size();
    if (findings[i].count() != 0) {
      AddNonFinite(subject, stream, findings[i], problems);
    } else if (!findings[i].nonzero() && IsScalePlane(stream) && stream.array->bytes != 0) {
      AddZero(subject, stream, "all scales are zero", problems);
    } else if (!findings[i].nonzero() && IsFloatMatrix(stream)) {
      AddZero(subject, stream, "all values of the matrix are zero", problems);
    }
    explained = problems.size() != before ? stream.tensor : explained;
  }
}

// A head may be the embedding, whether config.json says so or not.
bool MayBeAlike(const Subject& subject, const SourceTensor& a, const SourceTensor& b) {
  const auto ends = [&](const SourceTensor& tensor) {
    return &tensor == subject.FindRole(Role::kTokenEmbedding) ||
           &tensor == subject.FindRole(Role::kOutput);
  };
  return ends(a) && ends(b);
}

// Matrices of the same values: one of them was probably written in place of another.
void ReportDuplicates(const Subject& subject, const std::vector<Stream>& streams,
                      const std::deque<Finding>& findings, Problems& problems) {
  std::map<std::tuple<uint64_t, DType, std::string>, const Stream*> seen;
  for (size_t i = 0; i < streams.size(); ++i) {
    const Stream& stream = streams[i];
    // Biases of experts are matrices, and may be alike.
    if (!IsFloatMatrix(stream) || !findings[i].nonzero() || stream.tensor->name.ends_with("bias")) {
      continue;
    }
    const auto [first, fresh] = seen.try_emplace(
        {findings[i].hash(), stream.meaning, stream.value->shape().ToString()}, &stream);
    if (!fresh && !MayBeAlike(subject, *first->second->tensor, *stream.tensor)) {
      Problem problem = StreamProblem(subject, stream, Severity::kWarning);
      problem.detail.what =
          Format("has the same values as {}", Printable(first->second->tensor->name));
      problem.detail.advice = "compare with the original: one may stand in place of another";
      problems.push_back(std::move(problem));
    }
  }
}

}  // namespace

void CheckData(const Subject& subject, const CheckOptions& options, Problems& problems) {
  Scanner scanner({&subject.checkpoint}, options);
  const std::vector<Stream> streams = ListStreams(scanner, subject.checkpoint);
  std::deque<Finding> findings(streams.size());  // which cannot be moved
  std::vector<uint64_t> elements;
  uint64_t memory = 0;
  for (const Stream& stream : streams) {
    elements.push_back(stream.value->shape().elements());
    memory = std::max(memory, BandMemory(*stream.value));
  }
  scanner.ForEachBand(elements, memory, [&](const ScanBand& band) {
    const Stream& stream = streams[band.item];
    const Pool::Buffer data = scanner.Read(*stream.value, band.first, band.count);
    Finding& finding = findings[band.item];
    finding.Add(FindNonFinite(stream.meaning, data.data(), band.count), band.first);
    if (IsFloatMatrix(stream)) {
      finding.AddHash({data.data(), data.size()}, band.first);
    }
    if (!finding.nonzero() && HasNonZero(stream.meaning, data.data(), band.count)) {
      finding.SetNonZero();
    }
    if (stream.array == nullptr) {  // planes are read a second time with the values
      scanner.Advance(*stream.value, band.first, band.count);
    }
  });
  Report(subject, streams, findings, problems);
  ReportDuplicates(subject, streams, findings, problems);
}

}  // namespace lbrx
