// Cooperative cancellation.
#pragma once

#include <atomic>

namespace lbrx {

// Set from anywhere, a signal handler included; polled by whoever works.
class CancelToken {
 public:
  void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }

  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

  void ThrowIfCancelled() const;  // kCancelled

 private:
  std::atomic<bool> cancelled_{false};
};

}  // namespace lbrx
