// Tasks lie in their group. What the threads' deques hold, and steal from each other, are tickets:
// each the right to run one task of a group. So a thread that waits for a group can run the tasks
// of that group and of no other. If it ran a stranger's, that could wait for what this very thread
// holds further up its stack (a lease of the memory budget), for ever.
#include "core/parallel/executor.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "core/parallel/task_queue.h"

namespace lbrx {

// ---- TaskQueue: the tasks of one group
// -----------------------------------------------------------

bool TaskQueue::Push(std::function<void()> task) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (error_ != nullptr) {
    return false;
  }
  tasks_.push_back(std::move(task));
  changed_.notify_all();  // a waiting thread may run it
  return true;
}

bool TaskQueue::RunOne() {
  std::function<void()> task;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (tasks_.empty()) {
      return false;
    }
    task = std::move(tasks_.front());
    tasks_.pop_front();
    ++running_;
  }
  try {
    task();
  } catch (...) {
    Fail(std::current_exception());
  }
  task = nullptr;  // what it captured goes before the group counts as done
  const std::lock_guard<std::mutex> lock(mutex_);
  --running_;
  changed_.notify_all();
  return true;
}

void TaskQueue::Fail(std::exception_ptr error) {
  std::list<std::function<void()>> dropped;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (error_ == nullptr) {
    error_ = std::move(error);
  }
  dropped.swap(tasks_);
}

void TaskQueue::HelpUntilDone() {
  for (;;) {
    while (RunOne()) {
    }
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return !tasks_.empty() || running_ == 0; });
    if (tasks_.empty()) {
      return;
    }
  }
}

std::exception_ptr TaskQueue::TakeError() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(error_, nullptr);
}

// ---- Executor
// ------------------------------------------------------------------------------------

namespace {

using Ticket = std::shared_ptr<TaskQueue>;

struct TicketDeque {
  std::mutex mutex;
  std::deque<Ticket> tickets;
};

// Which deque the current thread owns, and of which executor.
struct Worker {
  const void* executor = nullptr;
  size_t deque = 0;
};

thread_local Worker current_worker;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

struct Executor::Impl {
  explicit Impl(unsigned thread_count) : deques(thread_count) {}

  void Push(Ticket ticket);
  Ticket Take(size_t own);
  void Work(size_t own);

  std::vector<TicketDeque> deques;  // [0] is shared by all threads that are not ours
  std::vector<std::thread> workers;
  std::mutex sleep_mutex;
  std::condition_variable wake;
  std::atomic<size_t> available{0};  // tickets in deques, never fewer than there are
  bool stopping = false;             // under sleep_mutex
};

void Executor::Impl::Push(Ticket ticket) {
  if (workers.empty()) {
    return;  // the waiting thread does it all
  }
  const size_t own = current_worker.executor == this ? current_worker.deque : 0;
  available.fetch_add(1);
  {
    const std::lock_guard<std::mutex> lock(deques[own].mutex);
    deques[own].tickets.push_back(std::move(ticket));
  }
  // A worker is either before its look at `available` or asleep, never between.
  { const std::lock_guard<std::mutex> lock(sleep_mutex); }
  wake.notify_one();
}

// The newest of our own, whose data is still in the cache, else the oldest of another, which
// likely leads to the most work.
Ticket Executor::Impl::Take(size_t own) {
  for (size_t i = 0; i < deques.size(); ++i) {
    TicketDeque& deque = deques[(own + i) % deques.size()];
    const std::lock_guard<std::mutex> lock(deque.mutex);
    if (deque.tickets.empty()) {
      continue;
    }
    Ticket ticket;
    if (i == 0) {
      ticket = std::move(deque.tickets.back());
      deque.tickets.pop_back();
    } else {
      ticket = std::move(deque.tickets.front());
      deque.tickets.pop_front();
    }
    available.fetch_sub(1);
    return ticket;
  }
  return nullptr;
}

void Executor::Impl::Work(size_t own) {
  current_worker = {this, own};
  for (;;) {
    if (const Ticket ticket = Take(own); ticket != nullptr) {
      ticket->RunOne();
      continue;
    }
    std::unique_lock<std::mutex> lock(sleep_mutex);
    wake.wait(lock, [&] { return stopping || available.load() != 0; });
    if (stopping) {
      return;
    }
  }
}

Executor::Executor(unsigned threads) : impl_(std::make_unique<Impl>(threads == 0 ? 1 : threads)) {
  Impl* impl = impl_.get();
  impl->workers.reserve(impl->deques.size() - 1);
  for (size_t own = 1; own < impl->deques.size(); ++own) {
    try {
      impl->workers.emplace_back([impl, own] { impl->Work(own); });
    } catch (const std::exception&) {  // no thread to be had, or no memory for one
      break;                           // the deques without a thread stay empty
    }
  }
}

Executor::~Executor() {
  {
    const std::lock_guard<std::mutex> lock(impl_->sleep_mutex);
    impl_->stopping = true;
  }
  impl_->wake.notify_all();
  for (std::thread& worker : impl_->workers) {
    worker.join();
  }
}

unsigned Executor::threads() const {
  return static_cast<unsigned>(impl_->workers.size()) + 1;
}

// ---- TaskGroup
// -----------------------------------------------------------------------------------

struct TaskGroup::Impl {
  Executor::Impl* executor;
  std::shared_ptr<TaskQueue> queue;
};

TaskGroup::TaskGroup(Executor& executor)
    : impl_(std::make_unique<Impl>(Impl{executor.impl_.get(), std::make_shared<TaskQueue>()})) {}

TaskGroup::~TaskGroup() {
  impl_->queue->HelpUntilDone();
}

void TaskGroup::Run(std::function<void()> task) {
  if (impl_->queue->Push(std::move(task))) {
    impl_->executor->Push(impl_->queue);
  }
}

void TaskGroup::Wait() {
  impl_->queue->HelpUntilDone();
  if (const std::exception_ptr error = impl_->queue->TakeError(); error != nullptr) {
    std::rethrow_exception(error);
  }
}

}  // namespace lbrx
