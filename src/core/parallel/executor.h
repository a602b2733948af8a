// Work-stealing threads and the data-parallel primitives on them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <vector>

#include "core/parallel/cancel.h"

namespace lbrx {

// A fixed set of threads, each with a deque of work; idle ones steal from the others. The thread
// that waits for a group helps with that group's tasks. `threads` counts the waiting thread: 1
// starts none.
// Where the system refuses threads, it works with those it got.
class Executor {
 public:
  explicit Executor(unsigned threads);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  unsigned threads() const;

  // Cores available to this process (affinity and cgroup quota respected), at least 1.
  static unsigned HardwareThreads();

 private:
  friend class TaskGroup;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Tasks that are waited for together, started in the order of Run(). The first exception cancels
// those not yet started and is rethrown by Wait(). A task may Run() more in its group, not Wait()
// for it. The executor must outlive the group.
class TaskGroup {
 public:
  explicit TaskGroup(Executor& executor);
  ~TaskGroup();  // waits, swallowing exceptions
  void Run(std::function<void()> task);
  void Wait();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// body(begin, end) over pieces of [begin, end) of at most `grain`. Exceptions carried. Pieces are
// the same for any number of threads.
void ParallelFor(Executor& executor, uint64_t begin, uint64_t end, uint64_t grain,
                 const std::function<void(uint64_t, uint64_t)>& body);

// Reduction whose result does not depend on the number of threads: map(begin, end) -> T of fixed
// pieces of `grain` (not 0), combined in a fixed binary tree in order.
template <typename T, typename Map, typename Combine>
T ParallelReduce(Executor& executor, uint64_t begin, uint64_t end, uint64_t grain, T identity,
                 Map map, Combine combine) {
  static_assert(!std::is_same_v<T, bool>, "std::vector<bool> cannot be written from two threads");
  if (begin >= end) {
    return identity;
  }
  const uint64_t pieces = (end - begin - 1) / grain + 1;
  std::vector<T> parts(pieces, identity);
  ParallelFor(executor, 0, pieces, 1, [&](uint64_t first, uint64_t last) {
    for (uint64_t i = first; i < last; ++i) {
      const uint64_t from = begin + i * grain;
      parts[i] = map(from, end - from > grain ? from + grain : end);
    }
  });
  for (uint64_t width = 1; width < pieces; width *= 2) {
    for (uint64_t i = 0; i + width < pieces; i += 2 * width) {
      parts[i] = combine(parts[i], parts[i + width]);
    }
  }
  return parts[0];
}

// Runs step(i) for i in [0, count), drawn strictly in order, at most `window` (and the executor's
// threads) of them in flight. Stops at the first exception (rethrown) or when `cancel` (may be
// null) fires: then items in flight finish and kCancelled is thrown.
void RunPipeline(Executor& executor, uint64_t count, unsigned window, const CancelToken* cancel,
                 const std::function<void(uint64_t)>& step);

}  // namespace lbrx
