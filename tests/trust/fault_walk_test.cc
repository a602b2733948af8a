// Every system call of every command that writes fails in turn: the old output or none (or, past
// the move, the whole new one), the right exit code, a message that names the file, nothing left
// that `lbrx clean` does not remove, and the next run gives the bytes of an undisturbed one.
#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <tuple>
#include <vector>

#include "core/base/format.h"
#include "support/faults.h"
#include "trust/workplace.h"

namespace lbrx {
namespace {

constexpr int kPermission = 4;
constexpr int kIo = 5;
constexpr int kNoSpace = 6;

struct Walk {
  IoCall call;
  int error_number;
  int exit_code;
  bool onwards = false;  // every call of that kind from there on fails
};

// The command's number, and whether there is an old output.
using WalkParam = std::tuple<size_t, bool>;

class FaultWalk : public ::testing::TestWithParam<WalkParam> {
 protected:
  Workplace Place(bool sync) const {
    return Workplace(WritingCommands()[std::get<0>(GetParam())],
                     {.replace = std::get<1>(GetParam()), .sync = sync});
  }

  void TearDown() override { EXPECT_EQ(OpenDescriptors(), descriptors_) << "files are left open"; }

  static uint64_t CountCalls(const Workplace& place, std::optional<IoCall> call) {
    place.Reset();
    FaultyIo io;
    EXPECT_EQ(place.Run().code, place.command().exit_code);
    return io.Count(call);
  }

  // A run in which the n-th call fails.
  static std::string RunWithFault(const Workplace& place, const Walk& walk, uint64_t n) {
    place.Reset();
    AppRun run;
    std::set<std::string> failed;
    {
      FaultyIo io;
      walk.onwards ? io.FailFrom(walk.call, n, walk.error_number)
                   : io.FailOnce(walk.call, n, walk.error_number);
      run = place.Run();
      failed = io.Failed();
    }
    return place.CheckAfter(run, {{walk.exit_code}, failed});
  }

  // Fails the n-th call for every n. Returns how many there are.
  static uint64_t FailEvery(const Workplace& place, const Walk& walk) {
    const uint64_t calls = CountCalls(place, walk.call);
    for (uint64_t n = 1; n <= calls && !HasFailure(); ++n) {
      SCOPED_TRACE(Format("call {} of {} fails with {}", n, calls, walk.error_number));
      ExpectOrder(place, n, [&] { return RunWithFault(place, walk, n); });
    }
    return calls;
  }

  // Runs into a fault; the next run comes to its end, and `lbrx clean` removes what is left. Where
  // nothing is left, the next run is an undisturbed one: now and then suffices.
  template <typename F>
  static void ExpectOrder(const Workplace& place, uint64_t n, F&& run) {
    constexpr uint64_t kSeldom = 16;
    constexpr uint64_t kSometimes = 3;
    EXPECT_EQ(run(), "");
    const bool touched = place.IsTouched();
    if (touched || n % kSeldom == 0) {
      EXPECT_EQ(place.CheckNextRun(), "");
    }
    if (touched && n % kSometimes == 0) {
      EXPECT_EQ(run(), "");
      EXPECT_EQ(place.CheckClean(), "");
    }
  }

  const int descriptors_ = OpenDescriptors();
};

// Calls before the work comes to its end: an old output matters less, and one of both is walked.
class DataFaultWalk : public FaultWalk {};

TEST_P(DataFaultWalk, EveryReadFails) {
  const Workplace place = Place(/*sync=*/false);
  EXPECT_GT(FailEvery(place, {IoCall::kRead, EIO, kIo}), 10U);
}

TEST_P(DataFaultWalk, EveryOpenFails) {
  const Workplace place = Place(/*sync=*/false);
  EXPECT_GT(FailEvery(place, {IoCall::kOpen, EACCES, kPermission}), 5U);
  FailEvery(place, {IoCall::kOpen, EMFILE, kIo});
}

TEST_P(DataFaultWalk, EveryWriteFails) {
  const Workplace place = Place(/*sync=*/false);
  EXPECT_GT(FailEvery(place, {IoCall::kWrite, EIO, kIo}), 10U);
}

TEST_P(DataFaultWalk, DiskFullAtEveryWrite) {
  const Workplace place = Place(/*sync=*/false);
  FailEvery(place, {IoCall::kWrite, ENOSPC, kNoSpace, /*onwards=*/true});
}

TEST_P(DataFaultWalk, QuotaUsedUpAtEveryWrite) {
  const Workplace place = Place(/*sync=*/false);
  FailEvery(place, {IoCall::kWrite, EDQUOT, kNoSpace, /*onwards=*/true});
}

TEST_P(DataFaultWalk, EveryReservationOfSpaceFails) {
  const Workplace place = Place(/*sync=*/false);
  EXPECT_GE(FailEvery(place, {IoCall::kAllocate, ENOSPC, kNoSpace}), 1U);
  FailEvery(place, {IoCall::kAllocate, EDQUOT, kNoSpace, /*onwards=*/true});
  EXPECT_GE(FailEvery(place, {IoCall::kTruncate, EIO, kIo}), 1U);
}

TEST_P(FaultWalk, EverySyncFails) {
  const Workplace place = Place(/*sync=*/true);
  EXPECT_GE(FailEvery(place, {IoCall::kSync, EIO, kIo}), 2U);
  EXPECT_GE(FailEvery(place, {IoCall::kSyncDirectory, EIO, kIo}), 1U);
}

TEST_P(FaultWalk, EveryRenameFails) {
  const Workplace place = Place(/*sync=*/false);
  EXPECT_GE(FailEvery(place, {IoCall::kRename, EACCES, kPermission}), 1U);
  FailEvery(place, {IoCall::kRename, EXDEV, kIo});
}

TEST_P(FaultWalk, EveryFolderCannotBeMade) {
  const Workplace place = Place(/*sync=*/false);
  EXPECT_GE(FailEvery(place, {IoCall::kMakeDirectory, EACCES, kPermission}), 1U);
  FailEvery(place, {IoCall::kMakeDirectory, ENOSPC, kNoSpace});
}

TEST_P(FaultWalk, EveryRemovalFails) {
  const Workplace place = Place(/*sync=*/false);
  EXPECT_GE(FailEvery(place, {IoCall::kRemove, EIO, kIo}), 2U);
  FailEvery(place, {IoCall::kRemove, EACCES, kPermission, /*onwards=*/true});
}

TEST_P(FaultWalk, EveryLockFails) {
  const Workplace place = Place(/*sync=*/false);
  EXPECT_GE(FailEvery(place, {IoCall::kLock, EIO, kIo}), 1U);
}

// What a file system may not know is done in another way.
TEST_P(FaultWalk, WhatTheFileSystemCannotIsDoneOtherwise) {
  const Workplace place = Place(/*sync=*/true);
  constexpr std::pair<IoCall, int> kUnsupported[] = {
      {IoCall::kAllocate, EOPNOTSUPP}, {IoCall::kLock, ENOLCK}, {IoCall::kSyncDirectory, EINVAL}};
  for (const auto& [call, error_number] : kUnsupported) {
    SCOPED_TRACE(error_number);
    place.Reset();
    FaultyIo io;
    io.FailFrom(call, 1, error_number);
    EXPECT_EQ(place.Run().code, place.command().exit_code);
    EXPECT_EQ(place.CheckDone(), "");
  }
}

TEST_P(DataFaultWalk, ShortAndInterruptedCallsChangeNothing) {
  const Workplace place = Place(/*sync=*/false);
  for (const size_t most : {size_t{1000}, size_t{37}}) {
    SCOPED_TRACE(most);
    place.Reset();
    FaultyIo io;
    io.LimitTransfers(most);
    for (uint64_t n = 1; n < 400; n += 2) {
      io.FailOnce(std::nullopt, n, EINTR);
    }
    const AppRun run = place.Run();
    EXPECT_EQ(run.code, place.command().exit_code) << run.err;
    EXPECT_EQ(place.CheckDone(), "");
  }
}

// From some call on every call fails, as if the process were dead; and what was not synced by then
// is lost. What comes before the output is moved is walked once, with an old output or without.
TEST_P(FaultWalk, PowerLossAtEveryCall) {
  constexpr uint64_t kEnd = 60;  // calls in which outputs are made durable and moved, and more
  const Workplace place = Place(/*sync=*/true);
  const uint64_t calls = CountCalls(place, std::nullopt);
  EXPECT_GT(calls, kEnd);
  const bool whole = (std::get<0>(GetParam()) % 2 == 0) == std::get<1>(GetParam());
  for (uint64_t n = whole ? 1 : calls - kEnd; n <= calls && !HasFailure(); ++n) {
    SCOPED_TRACE(Format("dead from call {} of {}", n, calls));
    ExpectOrder(place, n, [&] {
      place.Reset();
      FaultyIo io;
      io.RecordUnsynced();
      io.FailFrom(std::nullopt, n, EIO);
      place.Run();
      io.Crash();
      return place.CheckAfterDeath();
    });
  }
}

std::string NameOf(const ::testing::TestParamInfo<WalkParam>& info) {
  return WritingCommands()[std::get<0>(info.param)].name +
         (std::get<1>(info.param) ? "Replaced" : "New");
}

std::vector<WalkParam> EachOnce() {
  std::vector<WalkParam> params;
  for (size_t i = 0; i < WritingCommands().size(); ++i) {
    params.emplace_back(i, i % 2 == 0);
  }
  return params;
}

INSTANTIATE_TEST_SUITE_P(Commands, DataFaultWalk, ::testing::ValuesIn(EachOnce()), NameOf);

INSTANTIATE_TEST_SUITE_P(Commands, FaultWalk,
                         ::testing::Combine(::testing::Range(size_t{0}, WritingCommands().size()),
                                            ::testing::Bool()),
                         NameOf);

}  // namespace
}  // namespace lbrx
