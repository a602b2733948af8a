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
  const float* const importance = ImportanceAt(tensor, first);
  const uint64_t columns = tensor.output.shape.back();
  const ColumnWeights weights = {
      .weights = importance, .columns = columns, .first = first % columns};
  std::vector<double> errors(tensor.candidates.size(), 0);
  for (size_t i = 0; i + 1 < errors.size(); ++i) {
    errors[i] = EncodeError({.encoding = tensor.candidates[i],
                             .options = tensor.encode,
                             .values = values,
                             .elements = count,
                             .planes = {},
                             .importance = importance,
                             .columns = columns},
                            weights);
  }
  return errors;
}

}  // namespace lbrx
