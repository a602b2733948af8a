#include "stream/measure.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace lbrx {
namespace {

TEST(MeasureError, AgreesWithTheDefinition) {
  std::vector<float> values;
  std::vector<float> decoded;
  double error = 0;
  double square = 0;
  double worst = 0;
  for (int i = 0; i < 1003; ++i) {
    values.push_back(std::sin(static_cast<float>(i)));
    decoded.push_back(values.back() + (i % 7 == 0 ? 0.125F : -0.25F));
    const double difference = static_cast<double>(decoded.back()) - values.back();
    error += difference * difference;
    square += static_cast<double>(values.back()) * values.back();
    worst = std::max(worst, std::fabs(difference));
  }
  const ErrorSums sums = MeasureError(values, decoded);
  EXPECT_EQ(sums.count, 1003U);
  EXPECT_NEAR(sums.squared_error, error, 1e-5);
  EXPECT_NEAR(sums.squared_value, square, 1e-9);
  EXPECT_NEAR(sums.max_error, worst, 1e-7);
  EXPECT_NEAR(sums.Rmse(), std::sqrt(error / 1003), 1e-7);
  EXPECT_NEAR(sums.SnrDecibel(), 10 * std::log10(square / error), 1e-5);
}

TEST(MeasureError, NoErrorIsInfiniteSnr) {
  const std::vector<float> values = {1, 2, 3};
  const ErrorSums sums = MeasureError(values, values);
  EXPECT_EQ(sums.Rmse(), 0);
  EXPECT_EQ(sums.RelativeError(), 0);
  EXPECT_EQ(sums.SnrDecibel(), std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace lbrx
