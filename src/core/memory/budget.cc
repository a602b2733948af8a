#include "core/memory/budget.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/parallel/cancel.h"

namespace lbrx {

namespace {

// How often a waiting thread looks at its cancel token, which has no way to wake it.
constexpr std::chrono::milliseconds kPoll{20};

}  // namespace

Budget::Lease::Lease(Lease&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

Budget::Lease& Budget::Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    if (budget_ != nullptr) {
      budget_->Release(bytes_);
    }
    budget_ = std::exchange(other.budget_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

Budget::Lease::~Lease() {
  if (budget_ != nullptr) {
    budget_->Release(bytes_);
  }
}

Budget::Lease Budget::Acquire(uint64_t bytes, const CancelToken* cancel) {
  if (bytes > limit_) {
    ErrorDetail detail;
    detail.what = "the work needs more memory than it may use";
    detail.expected = Format("at most {} ({} bytes)", FormatBytes(limit_), limit_);
    detail.found = Format("{} ({} bytes)", FormatBytes(bytes), bytes);
    detail.advice = "raise --memory";
    throw Error(ErrorCode::kLimit, std::move(detail));
  }
  std::unique_lock<std::mutex> lock(mutex_);
  const auto place = waiting_.insert(waiting_.end(), bytes);
  const auto is_served = [&] { return place == waiting_.begin() && limit_ - used_ >= bytes; };
  while (!is_served()) {
    if (cancel == nullptr) {
      freed_.wait(lock);
      continue;
    }
    if (cancel->cancelled()) {
      waiting_.erase(place);
      freed_.notify_all();  // whoever stood behind may be first now
      cancel->ThrowIfCancelled();
    }
    freed_.wait_for(lock, kPoll);
  }
  waiting_.erase(place);
  used_ += bytes;
  peak_ = std::max(peak_, used_);
  freed_.notify_all();
  return {this, bytes};
}

uint64_t Budget::used() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return used_;
}

uint64_t Budget::peak() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return peak_;
}

void Budget::Release(uint64_t bytes) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    used_ -= bytes;
  }
  freed_.notify_all();
}

}  // namespace lbrx
