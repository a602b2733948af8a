// How fast a run is and when it will end.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

namespace lbrx {

// The rate is that of the whole run, clamped to between half and twice the rate of the last
// seconds: calm, yet not blind to a change. Bytes that an earlier run did count for nothing.
class RateEstimator {
 public:
  // `bytes` are done at time `now` (seconds, from any clock that never goes back).
  void Start(double now, uint64_t bytes);
  void Sample(double now, uint64_t bytes);

  double seconds() const;           // since Start()
  double bytes_per_second() const;  // 0 where nothing is known yet
  // Seconds until `total` bytes are done; nullopt where nothing is known, or above 99 hours.
  std::optional<double> Eta(uint64_t total) const;

 private:
  struct Point {
    double time = 0;
    uint64_t bytes = 0;
  };

  static double Between(const Point& a, const Point& b);

  Point start_;
  std::deque<Point> recent_;  // of the last kWindow seconds, oldest first
};

}  // namespace lbrx
