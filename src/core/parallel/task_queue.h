// The tasks of one group. Inner header of core/parallel.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <list>
#include <mutex>

namespace lbrx {

// Thread-safe.
class TaskQueue {
 public:
  // False, and nothing kept, where a task has failed already.
  bool Push(std::function<void()> task);
  // Runs the oldest task that nobody has started. False where there is none.
  bool RunOne();
  // Runs tasks until none is left here and none runs elsewhere.
  void HelpUntilDone();
  // The first exception, once.
  std::exception_ptr TakeError();

 private:
  void Fail(std::exception_ptr error);

  std::mutex mutex_;
  std::condition_variable changed_;
  // A list: an empty one allocates nothing, which could fail while a failure is handled.
  std::list<std::function<void()>> tasks_;
  size_t running_ = 0;
  std::exception_ptr error_;
};

}  // namespace lbrx
