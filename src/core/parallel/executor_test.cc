#include "core/parallel/executor.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include "core/base/error.h"

namespace lbrx {
namespace {

TEST(ExecutorTest, CountsTheWaitingThread) {
  EXPECT_EQ(Executor(1).threads(), 1U);
  EXPECT_EQ(Executor(4).threads(), 4U);
  EXPECT_EQ(Executor(0).threads(), 1U);
}

#ifdef __GLIBC__

TEST(ExecutorTest, WorksWithTheThreadsItGets) {
  // Threads whose stacks do not fit the address space are refused.
  pthread_attr_t old_attributes;
  ASSERT_EQ(pthread_getattr_default_np(&old_attributes), 0);
  pthread_attr_t huge;
  ASSERT_EQ(pthread_attr_init(&huge), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&huge, size_t{1} << 47), 0);
  ASSERT_EQ(pthread_setattr_default_np(&huge), 0);
  Executor executor(8);
  ASSERT_EQ(pthread_setattr_default_np(&old_attributes), 0);
  pthread_attr_destroy(&huge);
  pthread_attr_destroy(&old_attributes);
  EXPECT_EQ(executor.threads(), 1U);
  std::atomic<uint64_t> sum{0};
  ParallelFor(executor, 0, 100, 1, [&](uint64_t begin, uint64_t) { sum += begin; });
  EXPECT_EQ(sum, 4950U);
}

#endif

TEST(TaskGroupTest, RunsEveryTaskOnce) {
  for (const unsigned threads : {1U, 2U, 5U}) {
    Executor executor(threads);
    std::vector<std::atomic<int>> runs(1000);
    TaskGroup group(executor);
    for (std::atomic<int>& run : runs) {
      group.Run([&run] { ++run; });
    }
    group.Wait();
    EXPECT_TRUE(std::all_of(runs.begin(), runs.end(), [](const auto& run) { return run == 1; }));
  }
}

TEST(TaskGroupTest, OneThreadRunsInOrder) {
  Executor executor(1);
  TaskGroup group(executor);
  std::string order;
  for (const char c : std::string("abcdef")) {
    group.Run([&order, c] { order += c; });
  }
  group.Wait();
  EXPECT_EQ(order, "abcdef");
}

TEST(TaskGroupTest, OtherThreadsTakePart) {
  // Two tasks that wait for each other end only if they run at the same time.
  Executor executor(2);
  TaskGroup group(executor);
  std::atomic<int> arrived{0};
  std::set<std::thread::id> ids;
  std::mutex mutex;
  for (int i = 0; i < 2; ++i) {
    group.Run([&] {
      ++arrived;
      while (arrived < 2) {
        std::this_thread::yield();
      }
      const std::lock_guard<std::mutex> lock(mutex);
      ids.insert(std::this_thread::get_id());
    });
  }
  group.Wait();
  EXPECT_EQ(ids.size(), 2U);
}

TEST(TaskGroupTest, FirstExceptionDropsTheRestAndIsRethrown) {
  Executor executor(1);
  TaskGroup group(executor);
  int ran = 0;
  group.Run([&] { ++ran; });
  group.Run([] { throw Error(ErrorCode::kInvalid, "broken"); });
  group.Run([&] { ++ran; });
  try {
    group.Wait();
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
  }
  EXPECT_EQ(ran, 1);
  group.Run([&] { ++ran; });  // usable again
  group.Wait();
  EXPECT_EQ(ran, 2);
}

TEST(TaskGroupTest, DestructorWaitsAndSwallows) {
  Executor executor(3);
  std::atomic<int> ran{0};
  {
    TaskGroup group(executor);
    for (int i = 0; i < 20; ++i) {
      group.Run([&ran] {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        ++ran;
      });
    }
  }
  EXPECT_EQ(ran, 20);
  {
    TaskGroup group(executor);
    group.Run([] { throw std::runtime_error("nobody waits"); });
  }
}

TEST(TaskGroupTest, CapturesAreGoneAfterWait) {
  Executor executor(4);
  for (int round = 0; round < 200; ++round) {
    const auto token = std::make_shared<int>(0);
    TaskGroup group(executor);
    for (int i = 0; i < 8; ++i) {
      group.Run([token, i] {
        if (i == 3) {
          throw std::runtime_error("stop");
        }
      });
    }
    EXPECT_THROW(group.Wait(), std::runtime_error);
    ASSERT_EQ(token.use_count(), 1);
  }
}

TEST(TaskGroupTest, TasksMayAddTasks) {
  Executor executor(3);
  TaskGroup group(executor);
  std::atomic<int> ran{0};
  const std::function<void(int)> spawn = [&](int depth) {
    ++ran;
    if (depth > 0) {
      group.Run([&spawn, depth] { spawn(depth - 1); });
      group.Run([&spawn, depth] { spawn(depth - 1); });
    }
  };
  group.Run([&] { spawn(10); });
  group.Wait();
  EXPECT_EQ(ran, (1 << 11) - 1);
}

TEST(TaskGroupTest, WaitingRunsOnlyTasksOfItsOwnGroup) {
  // While the inner group is waited for, tasks of the outer one must not start on this thread: they
  // could need what the waiting task holds.
  Executor executor(2);
  TaskGroup outer(executor);
  thread_local int depth = 0;
  std::atomic<bool> nested{false};
  for (int i = 0; i < 50; ++i) {
    outer.Run([&] {
      if (++depth > 1) {
        nested = true;
      }
      TaskGroup inner(executor);
      for (int j = 0; j < 4; ++j) {
        inner.Run([] { std::this_thread::yield(); });
      }
      inner.Wait();
      --depth;
    });
  }
  outer.Wait();
  EXPECT_FALSE(nested);
}

TEST(TaskGroupTest, NestedGroupsUnderStress) {
  Executor executor(6);
  for (int round = 0; round < 20; ++round) {
    std::atomic<uint64_t> sum{0};
    ParallelFor(executor, 0, 16, 1, [&](uint64_t i, uint64_t) {
      ParallelFor(executor, 0, 16, 1, [&](uint64_t j, uint64_t) {
        ParallelFor(executor, 0, 8, 3,
                    [&](uint64_t begin, uint64_t end) { sum += (i * 16 + j) * (end - begin); });
      });
    });
    ASSERT_EQ(sum, 255U * 256 / 2 * 8);
  }
}

TEST(TaskGroupTest, ManyOutsideThreadsShareOneExecutor) {
  Executor executor(4);
  std::atomic<uint64_t> sum{0};
  std::vector<std::thread> users;
  users.reserve(4);
  for (int user = 0; user < 4; ++user) {
    users.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        ParallelFor(executor, 0, 100, 7, [&](uint64_t begin, uint64_t end) { sum += end - begin; });
      }
    });
  }
  for (std::thread& user : users) {
    user.join();
  }
  EXPECT_EQ(sum, 4U * 50 * 100);
}

}  // namespace
}  // namespace lbrx
