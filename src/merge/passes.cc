#include "merge/passes.h"

namespace lbrx {

void SharedPasses::Ensure(const std::function<void(int pass, size_t piece)>& observe) {
  if (done()) {
    return;
  }
  std::unique_lock lock(mutex_);
  while (!done()) {
    if (error_ != nullptr) {
      std::rethrow_exception(error_);
    }
    if (pass_ >= kernel_.passes()) {  // it has none, or needs no more
      done_.store(true, std::memory_order_release);
      changed_.notify_all();
    } else if (next_ < pieces_) {
      TakePiece(lock, observe);
    } else if (running_ == 0) {
      FinishPass();
    } else {
      changed_.wait(lock);
    }
  }
}

void SharedPasses::TakePiece(std::unique_lock<std::mutex>& lock,
                             const std::function<void(int pass, size_t piece)>& observe) {
  const int pass = pass_;
  const size_t piece = next_++;
  ++running_;
  lock.unlock();
  std::exception_ptr error;
  try {
    observe(pass, piece);
  } catch (...) {
    error = std::current_exception();
  }
  lock.lock();
  --running_;
  if (error != nullptr && error_ == nullptr) {
    error_ = error;
  }
  if (error_ != nullptr || (next_ == pieces_ && running_ == 0)) {
    changed_.notify_all();
  }
}

// With the lock held: who comes meanwhile could do nothing but wait.
void SharedPasses::FinishPass() {
  try {
    kernel_.FinishPass(pass_);
  } catch (...) {
    error_ = std::current_exception();
  }
  ++pass_;
  next_ = 0;
  changed_.notify_all();
}

}  // namespace lbrx
