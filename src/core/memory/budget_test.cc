#include "core/memory/budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/parallel/cancel.h"

namespace lbrx {
namespace {

constexpr std::chrono::milliseconds kShortWhile{30};

TEST(BudgetTest, LeasesAreCountedAndReturned) {
  Budget budget(100);
  EXPECT_EQ(budget.limit(), 100U);
  {
    const Budget::Lease a = budget.Acquire(60);
    const Budget::Lease b = budget.Acquire(40);
    EXPECT_EQ(a.bytes(), 60U);
    EXPECT_EQ(budget.used(), 100U);
  }
  EXPECT_EQ(budget.used(), 0U);
  EXPECT_EQ(budget.peak(), 100U);
  EXPECT_EQ(budget.Acquire(0).bytes(), 0U);
}

TEST(BudgetTest, LeasesMove) {
  Budget budget(100);
  Budget::Lease a = budget.Acquire(30);
  Budget::Lease b = std::move(a);
  EXPECT_EQ(b.bytes(), 30U);
  EXPECT_EQ(budget.used(), 30U);
  b = budget.Acquire(50);  // the 30 go back
  EXPECT_EQ(budget.used(), 50U);
  b = Budget::Lease();
  EXPECT_EQ(budget.used(), 0U);
}

TEST(BudgetTest, MoreThanTheLimitIsRefusedAtOnceWithBothFigures) {
  Budget budget(1000);
  try {
    budget.Acquire(1001);
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kLimit);
    const std::string message = error.what();
    EXPECT_NE(message.find("1000 bytes"), std::string::npos) << message;
    EXPECT_NE(message.find("1001 bytes"), std::string::npos) << message;
    EXPECT_NE(message.find("--memory"), std::string::npos) << message;
  }
  EXPECT_EQ(budget.Acquire(1000).bytes(), 1000U);
}

TEST(BudgetTest, WaitsUntilEnoughIsFree) {
  Budget budget(100);
  Budget::Lease held = budget.Acquire(80);
  std::atomic<bool> got{false};
  std::thread waiter([&] {
    const Budget::Lease lease = budget.Acquire(50);
    got = true;
  });
  std::this_thread::sleep_for(kShortWhile);
  EXPECT_FALSE(got);
  held = Budget::Lease();
  waiter.join();
  EXPECT_TRUE(got);
  EXPECT_EQ(budget.peak(), 80U);
}

TEST(BudgetTest, FirstComeFirstServed) {
  // A small request must not pass a large one that came before, or that would starve.
  Budget budget(100);
  Budget::Lease held = budget.Acquire(50);
  std::atomic<int> served{0};
  int large_place = 0;
  int small_place = 0;
  std::thread large([&] {
    const Budget::Lease lease = budget.Acquire(90);
    large_place = ++served;
  });
  std::this_thread::sleep_for(kShortWhile);
  std::thread small([&] {
    const Budget::Lease lease = budget.Acquire(20);  // would fit now
    small_place = ++served;
  });
  std::this_thread::sleep_for(kShortWhile);
  EXPECT_EQ(served, 0);
  held = Budget::Lease();
  large.join();
  small.join();
  EXPECT_EQ(large_place, 1);
  EXPECT_EQ(small_place, 2);
}

TEST(BudgetTest, CancelEndsTheWaitAndFreesThePlaceInTheQueue) {
  Budget budget(100);
  const Budget::Lease held = budget.Acquire(50);
  CancelToken cancel;
  ErrorCode code = ErrorCode::kInternal;
  std::thread large([&] {
    try {
      budget.Acquire(90, &cancel);
    } catch (const Error& error) {
      code = error.code();
    }
  });
  std::this_thread::sleep_for(kShortWhile);
  std::atomic<bool> got{false};
  std::thread small([&] {
    const Budget::Lease lease = budget.Acquire(20);
    got = true;
  });
  std::this_thread::sleep_for(kShortWhile);
  EXPECT_FALSE(got);
  cancel.Cancel();
  large.join();
  small.join();
  EXPECT_EQ(code, ErrorCode::kCancelled);
  EXPECT_TRUE(got);
  EXPECT_EQ(budget.used(), 50U);
}

TEST(BudgetTest, NeverExceedsTheLimitUnderStress) {
  Budget budget(1000);
  std::atomic<uint64_t> in_use{0};
  std::atomic<bool> exceeded{false};
  std::vector<std::thread> threads;
  threads.reserve(6);
  for (uint64_t t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < 300; ++i) {
        const uint64_t bytes = (i * 97 + t * 331) % 1000 + 1;
        const Budget::Lease lease = budget.Acquire(bytes);
        if (in_use.fetch_add(bytes) + bytes > 1000) {
          exceeded = true;
        }
        in_use.fetch_sub(bytes);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_FALSE(exceeded);
  EXPECT_LE(budget.peak(), 1000U);
  EXPECT_EQ(budget.used(), 0U);
}

}  // namespace
}  // namespace lbrx
