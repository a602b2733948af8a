#include "stream/band_error.h"

#include <array>

#include "core/tensor/convert.h"
#include "quant/error.h"

namespace lbrx {

ErrorSums DecodedError(const Encoding& encoding, std::span<const std::byte> values,
                       std::span<const std::byte* const> planes, uint64_t count, Pool& pool,
                       const BandObserver& observe) {
  Pool::Buffer wanted = pool.Get(count * sizeof(float));
  Pool::Buffer decoded = pool.Get(count * sizeof(float));
  Convert(encoding.dtype, values.data(), DType::kF32, wanted.data(), count);
  FindCodec(encoding.scheme)
      ->decode({.encoding = encoding,
                .dtype = DType::kF32,
                .planes = planes,
                .elements = count,
                .values = decoded.data()});
  const auto floats = [&](const Pool::Buffer& buffer) {
    return std::span(reinterpret_cast<const float*>(buffer.data()), count);
  };
  if (observe) {
    observe(floats(wanted), floats(decoded));
  }
  return MeasureError(floats(wanted), floats(decoded));
}

std::vector<double> SurveyBand(const PlannedTensor& tensor, uint64_t first, uint64_t count,
                               const std::byte* values) {
  ColumnWeights columns;
  if (tensor.importance != nullptr) {
    columns = {.weights = tensor.importance->data(),
               .columns = tensor.importance->size(),
               .first = first % tensor.importance->size()};
  }
  std::vector<double> errors;
  errors.reserve(tensor.candidates.size());
  for (const Encoding& candidate : tensor.candidates) {
    const bool exact = candidate.scheme == Scheme::kPlain;
    errors.push_back(exact ? 0
                           : EncodeError({.encoding = candidate,
                                          .options = tensor.encode,
                                          .values = values,
                                          .elements = count,
                                          .planes = {}},
                                         columns));
  }
  return errors;
}

}  // namespace lbrx
