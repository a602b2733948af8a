#include "cli/formatters/rate.h"

#include <algorithm>

namespace lbrx {
namespace {

constexpr double kWindow = 10;          // seconds that "recent" means
constexpr double kLeastTime = 0.2;      // no rate from less
constexpr double kMostEta = 99 * 3600;  // a longer wait is not worth a figure

}  // namespace

void RateEstimator::Start(double now, uint64_t bytes) {
  start_ = {now, bytes};
  recent_.assign(1, start_);
}

void RateEstimator::Sample(double now, uint64_t bytes) {
  recent_.push_back({now, bytes});
  // The first point stays at or just beyond the window's edge.
  while (recent_.size() > 2 && recent_[1].time <= now - kWindow) {
    recent_.pop_front();
  }
}

double RateEstimator::Between(const Point& a, const Point& b) {
  if (b.time - a.time < kLeastTime || b.bytes < a.bytes) {
    return 0;
  }
  return static_cast<double>(b.bytes - a.bytes) / (b.time - a.time);
}

double RateEstimator::seconds() const {
  return recent_.empty() ? 0 : recent_.back().time - start_.time;
}

double RateEstimator::bytes_per_second() const {
  if (recent_.empty()) {
    return 0;
  }
  const double whole = Between(start_, recent_.back());
  const double recent = Between(recent_.front(), recent_.back());
  return recent > 0 ? std::clamp(whole, recent * 0.5, recent * 2) : whole;
}

std::optional<double> RateEstimator::Eta(uint64_t total) const {
  const double rate = bytes_per_second();
  if (rate <= 0) {
    return std::nullopt;
  }
  const uint64_t done = std::min(recent_.back().bytes, total);
  const double seconds = static_cast<double>(total - done) / rate;
  return seconds > kMostEta ? std::nullopt : std::optional<double>(seconds);
}

}  // namespace lbrx
