// Passes over a tensor before its elements are computed, shared by the threads that want to read
// it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>

#include "merge/method.h"

namespace lbrx {

// The passes of one kernel. The first thread that comes starts them; every other one that comes
// while they run takes pieces of the running pass, and waits only for pieces that others have in
// hand. Thread-safe.
class SharedPasses {
 public:
  SharedPasses(MergeKernel& kernel, size_t pieces) : kernel_(kernel), pieces_(pieces) {}

  bool done() const { return done_.load(std::memory_order_acquire); }

  // Returns when all passes are finished. `observe(pass, piece)` looks at one piece. What it throws
  // ends the passes for good, and is rethrown to every thread that is here or comes later.
  void Ensure(const std::function<void(int pass, size_t piece)>& observe);

 private:
  void TakePiece(std::unique_lock<std::mutex>& lock,
                 const std::function<void(int pass, size_t piece)>& observe);
  void FinishPass();
  MergeKernel& kernel_;
  const size_t pieces_;
  std::atomic<bool> done_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  int pass_ = 0;
  size_t next_ = 0;     // piece of the running pass
  size_t running_ = 0;  // pieces that threads have in hand
  std::exception_ptr error_;
};

}  // namespace lbrx
