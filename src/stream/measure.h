// Error of an encoded tensor against its values before encoding.
#pragma once

#include <cstdint>
#include <span>

namespace lbrx {

// Sums over elements, in float64. Added band by band in order, so independent of threads.
struct ErrorSums {
  uint64_t count = 0;
  double squared_error = 0;  // sum of (decoded - value)^2
  double squared_value = 0;  // sum of value^2
  double max_error = 0;      // largest |decoded - value|

  void Add(const ErrorSums& other);
  double Rmse() const;           // sqrt(squared_error / count)
  double RelativeError() const;  // sqrt(squared_error / squared_value); 0 for 0/0
  double SnrDecibel() const;     // 10 log10(squared_value / squared_error); infinite without error
};

ErrorSums MeasureError(std::span<const float> values, std::span<const float> decoded);

}  // namespace lbrx
