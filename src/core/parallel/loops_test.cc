// ParallelFor, ParallelReduce, RunPipeline.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "core/base/error.h"
#include "core/parallel/executor.h"

namespace lbrx {
namespace {

using Piece = std::pair<uint64_t, uint64_t>;

std::set<Piece> PiecesOf(unsigned threads, uint64_t begin, uint64_t end, uint64_t grain) {
  Executor executor(threads);
  std::mutex mutex;
  std::set<Piece> pieces;
  ParallelFor(executor, begin, end, grain, [&](uint64_t from, uint64_t to) {
    const std::lock_guard<std::mutex> lock(mutex);
    EXPECT_TRUE(pieces.insert({from, to}).second);
  });
  return pieces;
}

TEST(ParallelForTest, PiecesAreTheSameForAnyNumberOfThreads) {
  const std::set<Piece> expected = {{3, 7}, {7, 11}, {11, 13}};
  for (const unsigned threads : {1U, 2U, 7U}) {
    EXPECT_EQ(PiecesOf(threads, 3, 13, 4), expected);
    EXPECT_EQ(PiecesOf(threads, 5, 5, 4), std::set<Piece>{});
    EXPECT_EQ(PiecesOf(threads, 6, 5, 4), std::set<Piece>{});
    EXPECT_EQ(PiecesOf(threads, 0, 3, 100), (std::set<Piece>{{0, 3}}));
    EXPECT_EQ(PiecesOf(threads, 0, 2, 0), (std::set<Piece>{{0, 1}, {1, 2}}));
    EXPECT_EQ(PiecesOf(threads, UINT64_MAX - 3, UINT64_MAX, 2),
              (std::set<Piece>{{UINT64_MAX - 3, UINT64_MAX - 1}, {UINT64_MAX - 1, UINT64_MAX}}));
  }
}

TEST(ParallelForTest, CarriesExceptionsAndStops) {
  for (const unsigned threads : {1U, 4U}) {
    Executor executor(threads);
    std::atomic<int> ran{0};
    EXPECT_THROW(ParallelFor(executor, 0, 100000, 1,
                             [&](uint64_t i, uint64_t) {
                               ++ran;
                               if (i == 5) {
                                 throw std::runtime_error("stop");
                               }
                               std::this_thread::sleep_for(std::chrono::microseconds(10));
                             }),
                 std::runtime_error);
    EXPECT_LT(ran, 100000);
  }
}

float SumWith(unsigned threads, uint64_t count) {
  Executor executor(threads);
  return ParallelReduce(
      executor, 0, count, 1000, 0.0F,
      [](uint64_t begin, uint64_t end) {
        float sum = 0;
        for (uint64_t i = begin; i < end; ++i) {
          sum += 1.0F / static_cast<float>(i + 1);
        }
        return sum;
      },
      [](float a, float b) { return a + b; });
}

TEST(ParallelReduceTest, SameBitsForAnyNumberOfThreads) {
  const float expected = SumWith(1, 123456);
  double harmonic = 0;
  for (int i = 1; i <= 123456; ++i) {
    harmonic += 1.0 / i;
  }
  EXPECT_NEAR(expected, harmonic, 1e-4);
  for (const unsigned threads : {2U, 3U, 8U}) {
    EXPECT_EQ(SumWith(threads, 123456), expected);
  }
  EXPECT_EQ(SumWith(4, 0), 0.0F);
  EXPECT_EQ(SumWith(4, 1), 1.0F);
}

TEST(ParallelReduceTest, CombinesInOrder) {
  Executor executor(4);
  const std::string joined = ParallelReduce(
      executor, 0, 7, 1, std::string(),
      [](uint64_t begin, uint64_t) { return std::string(1, static_cast<char>('a' + begin)); },
      [](const std::string& a, const std::string& b) { return "(" + a + b + ")"; });
  EXPECT_EQ(joined, "(((ab)(cd))((ef)g))");
}

TEST(RunPipelineTest, RunsEachItemOnceWithinTheWindow) {
  for (const unsigned threads : {1U, 3U, 6U}) {
    for (const unsigned window : {1U, 2U, 100U}) {
      Executor executor(threads);
      std::vector<std::atomic<int>> runs(200);
      std::atomic<unsigned> in_flight{0};
      std::atomic<unsigned> most{0};
      RunPipeline(executor, runs.size(), window, nullptr, [&](uint64_t i) {
        const unsigned now = ++in_flight;
        unsigned seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        ++runs[i];
        std::this_thread::yield();
        --in_flight;
      });
      EXPECT_TRUE(std::all_of(runs.begin(), runs.end(), [](const auto& run) { return run == 1; }));
      EXPECT_LE(most, std::min(window, threads));
    }
  }
}

TEST(RunPipelineTest, WindowOfOneIsStrictlyInOrder) {
  Executor executor(4);
  std::vector<uint64_t> order;
  RunPipeline(executor, 100, 1, nullptr, [&](uint64_t i) { order.push_back(i); });
  ASSERT_EQ(order.size(), 100U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(RunPipelineTest, NoItemStartsFarAheadOfAnUnfinishedOne) {
  // Item i can only run when item i - window has been drawn; drawn in order, so all before have.
  Executor executor(4);
  std::atomic<uint64_t> started{0};
  RunPipeline(executor, 500, 4, nullptr, [&](uint64_t i) {
    ++started;
    EXPECT_LE(i, started + 3);
  });
  EXPECT_EQ(started, 500U);
}

TEST(RunPipelineTest, NothingToDoIsDone) {
  Executor executor(2);
  CancelToken cancel;
  cancel.Cancel();
  RunPipeline(executor, 0, 4, &cancel, [](uint64_t) { FAIL(); });
}

TEST(RunPipelineTest, FirstExceptionStopsAndIsRethrown) {
  Executor executor(4);
  std::atomic<int> ran{0};
  try {
    RunPipeline(executor, 1000000, 8, nullptr, [&](uint64_t i) {
      ++ran;
      if (i == 20) {
        throw Error(ErrorCode::kNoSpace, "disk full");
      }
    });
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNoSpace);
  }
  EXPECT_GE(ran, 21);
  EXPECT_LT(ran, 1000000);
}

TEST(RunPipelineTest, CancelLetsItemsInFlightFinish) {
  Executor executor(4);
  CancelToken cancel;
  std::atomic<int> begun{0};
  std::atomic<int> finished{0};
  try {
    RunPipeline(executor, 1000000, 4, &cancel, [&](uint64_t i) {
      ++begun;
      if (i == 30) {
        cancel.Cancel();
      }
      ++finished;
    });
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  }
  EXPECT_EQ(begun, finished);
  EXPECT_GE(finished, 31);
  EXPECT_LT(finished, 1000000);
}

TEST(RunPipelineTest, CancelledAtTheLastItemIsComplete) {
  Executor executor(1);
  CancelToken cancel;
  int ran = 0;
  RunPipeline(executor, 3, 1, &cancel, [&](uint64_t i) {
    ++ran;
    if (i == 2) {
      cancel.Cancel();
    }
  });
  EXPECT_EQ(ran, 3);
}

TEST(RunPipelineTest, StepsMayUseTheExecutor) {
  Executor executor(4);
  std::atomic<uint64_t> sum{0};
  RunPipeline(executor, 50, 4, nullptr, [&](uint64_t) {
    ParallelFor(executor, 0, 100, 9, [&](uint64_t begin, uint64_t end) { sum += end - begin; });
  });
  EXPECT_EQ(sum, 5000U);
}

}  // namespace
}  // namespace lbrx
