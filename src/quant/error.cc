#include "quant/error.h"

#include <algorithm>
#include <vector>

#include "core/tensor/convert.h"
#include "quant/error_sums.h"

namespace lbrx {
namespace {

constexpr uint64_t kPiece = 4096;  // elements; a multiple of every group, small enough for L1

struct Functions {
  void (*encode)(const EncodeJob&);
  void (*decode)(const DecodeJob&);
  decltype(&AddSquaredErrors) add;
};

double Total(ErrorLanes sums) {
  for (size_t half = kErrorSums / 2; half > 0; half /= 2) {
    for (size_t i = 0; i < half; ++i) {
      sums[i] += sums[i + half];
    }
  }
  return sums[0];
}

// Adds a piece's errors, row by row as far as weights begin anew with each.
void AddPiece(const Functions& functions, DType dtype, const std::byte* values,
              const float* decoded, uint64_t count, const ColumnWeights& columns, uint64_t column,
              ErrorLanes& sums) {
  if (columns.weights == nullptr) {
    return functions.add(dtype, values, decoded, nullptr, count, sums);
  }
  for (uint64_t begin = 0; begin < count;) {
    const uint64_t n = std::min(columns.columns - column, count - begin);
    functions.add(dtype, values + begin * Info(dtype).bits / 8, decoded + begin,
                  columns.weights + column, n, sums);
    begin += n;
    column = 0;
  }
}

// Elements to encode in one go: whole rows where the columns have importance.
uint64_t PieceOf(const EncodeJob& job) {
  return job.importance == nullptr ? kPiece
                                   : std::max<uint64_t>(kPiece / job.columns, 1) * job.columns;
}

void AddThroughPlanes(const EncodeJob& job, const ColumnWeights& columns,
                      const Functions& functions, ErrorLanes& sums) {
  const uint64_t step = std::min(PieceOf(job), job.elements);
  const std::vector<Plane> shapes = PlanesOf(job.encoding, Shape({1, step}));
  std::vector<std::vector<std::byte>> storage;
  std::vector<std::byte*> planes;
  planes.reserve(shapes.size());
  for (const Plane& plane : shapes) {
    planes.push_back(storage.emplace_back(PlaneBytes(plane)).data());
  }
  const std::vector<const std::byte*> written(planes.begin(), planes.end());
  std::vector<float> decoded(step);
  EncodeJob piece = job;
  piece.planes = planes;
  for (uint64_t begin = 0; begin < job.elements; begin += step) {
    piece.elements = std::min(step, job.elements - begin);
    functions.encode(piece);
    functions.decode({.encoding = job.encoding,
                      .dtype = DType::kF32,
                      .planes = written,
                      .elements = piece.elements,
                      .values = reinterpret_cast<std::byte*>(decoded.data())});
    const uint64_t column =
        columns.weights == nullptr ? 0 : (columns.first + begin) % columns.columns;
    AddPiece(functions, job.encoding.dtype, piece.values, decoded.data(), piece.elements, columns,
             column, sums);
    piece.values += piece.elements * Info(job.encoding.dtype).bits / 8;
  }
}

}  // namespace

void AddSquaredErrorsReference(DType dtype, const std::byte* values, const float* decoded,
                               const float* weights, size_t count, ErrorLanes& sums) {
  std::vector<float> wanted(count);
  Convert(dtype, values, DType::kF32, reinterpret_cast<std::byte*>(wanted.data()), count);
  for (size_t i = 0; i < count; ++i) {
    const float difference = decoded[i] - wanted[i];
    double square = static_cast<double>(difference) * static_cast<double>(difference);
    if (weights != nullptr) {
      square *= static_cast<double>(weights[i]);
    }
    sums[i % kErrorSums] += square;
  }
}

void AddEncodeErrorsReference(const EncodeJob& job, const ColumnWeights& columns,
                              ErrorLanes& sums) {
  const Codec* codec = FindCodec(job.encoding.scheme);
  AddThroughPlanes(job, columns,
                   {codec->encode_reference, codec->decode_reference, AddSquaredErrorsReference},
                   sums);
}

void AddEncodeErrors(const EncodeJob& job, const ColumnWeights& columns, ErrorLanes& sums) {
  const Codec* codec = FindCodec(job.encoding.scheme);
  AddThroughPlanes(job, columns, {codec->encode, codec->decode, AddSquaredErrors}, sums);
}

double EncodeError(const EncodeJob& job, const ColumnWeights& columns) {
  ErrorLanes sums{};
  if (job.encoding.scheme == Scheme::kAffine && !job.options.search) {
    AddAffineErrors(job, columns, sums);
  } else if (job.encoding.scheme != Scheme::kPlain) {
    AddEncodeErrors(job, columns, sums);
  }
  return Total(sums);
}

double EncodeErrorReference(const EncodeJob& job, const ColumnWeights& columns) {
  ErrorLanes sums{};
  if (job.encoding.scheme != Scheme::kPlain) {
    AddEncodeErrorsReference(job, columns, sums);
  }
  return Total(sums);
}

}  // namespace lbrx
