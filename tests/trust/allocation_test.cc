// Memory runs out at every allocation of every command that writes: exit 7 with a message, the old
// output or none, nothing leaks, and the next run gives the bytes of an undisturbed one.
#include <gtest/gtest.h>

#include "core/base/format.h"
#include "trust/allocation_faults.h"
#include "trust/workplace.h"

namespace lbrx {
namespace {

constexpr int kLimit = 7;

// Allocations of what a run returned.
int64_t StringsOf(const AppRun& run) {
  const size_t in_place = std::string().capacity();
  return (run.out.size() > in_place ? 1 : 0) + (run.err.size() > in_place ? 1 : 0);
}

class Allocations : public ::testing::TestWithParam<size_t> {
 protected:
  Allocations() : place_(WritingCommands()[GetParam()], {.replace = GetParam() % 2 == 0}) {}

  // A run from a fresh start whose n-th allocation fails, or all from the n-th on; 0: none.
  AppRun Run(uint64_t n, bool onwards = false, unsigned threads = 1) const {
    place_.Reset();
    return RunWithoutMemory(place_.CommandLine(threads), n, onwards);
  }

  // Allocations of an undisturbed run.
  uint64_t CountAllocations() const {
    Run(0);
    return AllocationFaults::Count();
  }

  // The n-th allocation fails. Allocations that are left afterwards.
  int64_t ExpectRefusal(uint64_t n) const {
    const int64_t before = LiveAllocations();
    int64_t left = 0;
    {
      const AppRun run = Run(n);
      left = LiveAllocations() - before - StringsOf(run);
      EXPECT_EQ(place_.CheckAfter(run, {{kLimit}, {"memory"}}), "");
    }
    return left;
  }

  // All fail from the n-th on, so that nothing more can be said either.
  void ExpectSilentRefusal(uint64_t n, unsigned threads = 1) const {
    const int code = Run(n, /*onwards=*/true, threads).code;
    EXPECT_TRUE(code == kLimit ||
                (code == place_.command().exit_code && place_.CheckDone().empty()))
        << code;
    EXPECT_EQ(place_.CheckAfterDeath(), "");
  }

  void ExpectNextRun(uint64_t n) const {
    constexpr uint64_t kSeldom = 100;  // where nothing is left of the failed run
    if (place_.IsTouched() || n % kSeldom == 0) {
      EXPECT_EQ(place_.CheckNextRun(), "");
    }
  }

  void TearDown() override { EXPECT_EQ(OpenDescriptors(), descriptors_) << "files are left open"; }

  Workplace place_;
  const int descriptors_ = OpenDescriptors();
};

// The first 500, then every 37th.
TEST_P(Allocations, EachFailingEndsWithExit7AndLeaksNothing) {
  constexpr uint64_t kAll = 500;
  constexpr uint64_t kStep = 37;
  const uint64_t count = CountAllocations();
  EXPECT_GT(count, 400U);
  for (uint64_t n = 1; n <= count && !HasFailure(); n += n < kAll ? 1 : kStep) {
    SCOPED_TRACE(Format("allocation {} of {} fails", n, count));
    const int64_t leaked = ExpectRefusal(n);
    // What is made once and kept for all runs may have been made just now: not so the next time.
    EXPECT_TRUE(leaked <= 0 || ExpectRefusal(n) <= 0) << leaked << " allocations are left";
    ExpectNextRun(n);
  }
}

TEST_P(Allocations, AllFailingFromSomeOnEndWithExit7) {
  constexpr uint64_t kStep = 97;
  const uint64_t count = CountAllocations();
  for (uint64_t n = 1; n <= count && !HasFailure(); n += kStep) {
    SCOPED_TRACE(Format("allocations from {} of {} fail", n, count));
    ExpectSilentRefusal(n);
    ExpectNextRun(n);
  }
}

// Here another thread may meet the failure each time.
TEST_P(Allocations, EachFailingInOneOfSeveralThreadsEndsWithExit7) {
  constexpr uint64_t kStep = 41;
  constexpr unsigned kThreads = 4;
  const uint64_t count = CountAllocations();
  for (uint64_t n = 1; n <= count && !HasFailure(); n += kStep) {
    SCOPED_TRACE(Format("allocation {} of {} fails", n, count));
    EXPECT_EQ(place_.CheckAfter(Run(n, /*onwards=*/false, kThreads), {{kLimit}, {"memory"}}), "");
    ExpectNextRun(n);
    ExpectSilentRefusal(n, kThreads);
    ExpectNextRun(n);
  }
}

INSTANTIATE_TEST_SUITE_P(Commands, Allocations,
                         ::testing::Range(size_t{0}, WritingCommands().size()),
                         [](const auto& info) {
                           return std::string(WritingCommands()[info.param].name);
                         });

}  // namespace
}  // namespace lbrx
