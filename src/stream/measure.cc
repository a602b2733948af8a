#include "stream/measure.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace lbrx {

void ErrorSums::Add(const ErrorSums& other) {
  count += other.count;
  squared_error += other.squared_error;
  squared_value += other.squared_value;
  max_error = std::max(max_error, other.max_error);
}

double ErrorSums::Rmse() const {
  return count == 0 ? 0 : std::sqrt(squared_error / static_cast<double>(count));
}

double ErrorSums::RelativeError() const {
  return squared_error == 0 ? 0 : std::sqrt(squared_error / squared_value);
}

double ErrorSums::SnrDecibel() const {
  return squared_error == 0 ? std::numeric_limits<double>::infinity()
                            : 10 * std::log10(squared_value / squared_error);
}

ErrorSums MeasureError(std::span<const float> values, std::span<const float> decoded) {
  // Independent partial sums let the compiler use vectors; their number fixes the order of
  // addition.
  constexpr size_t kLanes = 8;
  std::array<double, kLanes> error{};
  std::array<double, kLanes> square{};
  std::array<float, kLanes> worst{};
  const auto add = [&](size_t i, size_t lane) {
    const float difference = decoded[i] - values[i];
    error[lane] += static_cast<double>(difference) * static_cast<double>(difference);
    square[lane] += static_cast<double>(values[i]) * static_cast<double>(values[i]);
    worst[lane] = std::max(worst[lane], std::fabs(difference));
  };
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      add(i + lane, lane);
    }
  }
  for (; i < values.size(); ++i) {
    add(i, i % kLanes);
  }
  ErrorSums sums;
  sums.count = values.size();
  for (size_t lane = 0; lane < kLanes; ++lane) {
    sums.squared_error += error[lane];
    sums.squared_value += square[lane];
    sums.max_error = std::max(sums.max_error, static_cast<double>(worst[lane]));
  }
  return sums;
}

}  // namespace lbrx
