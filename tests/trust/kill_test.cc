// Processes that are killed, interrupted, or meet at one output.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>

#include "core/base/format.h"
#include "support/faults.h"
#include "trust/child.h"
#include "trust/workplace.h"

namespace lbrx {
namespace {

constexpr int kIo = 5;

// Of this run, printed so that it can be repeated: LBRX_SEED=N.
uint64_t Seed() {
  static const uint64_t seed = [] {
    const char* given = std::getenv("LBRX_SEED");  // NOLINT(concurrency-mt-unsafe)
    const uint64_t drawn =
        given == nullptr ? std::random_device()() : std::strtoull(given, nullptr, 10);
    std::cout << "LBRX_SEED=" << drawn << "\n";
    return drawn;
  }();
  return seed;
}

class Processes : public ::testing::TestWithParam<size_t> {
 protected:
  Processes() : place_(WritingCommands()[GetParam()], {.replace = GetParam() % 2 == 1}) {}

  // How long a whole run takes as a process of its own.
  std::chrono::microseconds Duration() const {
    std::chrono::microseconds longest{0};
    for (int i = 0; i < 3; ++i) {
      place_.Reset();
      const auto start = std::chrono::steady_clock::now();
      EXPECT_EQ(Child(place_.CommandLine(2)).Wait().code, place_.command().exit_code);
      longest = std::max(longest, std::chrono::duration_cast<std::chrono::microseconds>(
                                      std::chrono::steady_clock::now() - start));
    }
    return longest;
  }

  uint64_t CountWrites() const {
    place_.Reset();
    FaultyIo io;
    place_.Run();
    return io.Count(IoCall::kWrite);
  }

  // A run that stands still in the middle of its work.
  std::unique_ptr<Child> Halted(Gate& gate) const {
    const uint64_t n = CountWrites() / 2;
    place_.Reset();
    auto child = std::make_unique<Child>(place_.CommandLine(), [&gate, n] { gate.StopAtWrite(n); });
    EXPECT_TRUE(gate.WaitUntilStopped());
    return child;
  }

  Workplace place_;
};

TEST_P(Processes, KilledAtRandomMomentsEndWithTheSameBytes) {
  constexpr int kKills = 100;
  std::mt19937_64 random(Seed() + GetParam());
  SCOPED_TRACE(Format("LBRX_SEED={}", Seed()));
  const auto whole = static_cast<uint64_t>(Duration().count());
  place_.Reset();
  int killed = 0;
  for (int round = 0; round < kKills && !HasFailure(); ++round) {
    SCOPED_TRACE(Format("round {}", round));
    Child child(place_.CommandLine(2));
    ::usleep(static_cast<useconds_t>(random() % whole));
    child.Signal(SIGKILL);
    const bool was_killed = child.Wait().code == Child::kKilled + SIGKILL;
    killed += was_killed ? 1 : 0;
    EXPECT_EQ(place_.CheckAfterDeath(), "");
    switch (was_killed ? random() % 4 : 0) {
      case 0:  // to the end
        EXPECT_EQ(place_.CheckNextRun(), "");
        place_.Reset();
        break;
      case 1:
        EXPECT_EQ(place_.CheckClean(), "");
        place_.Reset();
        break;
      default:  // the next one goes on from here, and is killed too
        break;
    }
  }
  EXPECT_GT(killed, 0);
}

TEST_P(Processes, TheSecondAtOneOutputIsRefusedAndNamesTheFirst) {
  Gate gate;
  const std::unique_ptr<Child> first = Halted(gate);
  const AppRun second = place_.Run();
  EXPECT_EQ(second.code, kIo) << second.err;
  EXPECT_NE(second.err.find(Format("pid {}", first->pid())), std::string::npos) << second.err;
  gate.LetGo();
  EXPECT_EQ(first->Wait().code, place_.command().exit_code);
  EXPECT_EQ(place_.CheckDone(), "");
}

TEST_P(Processes, SeveralStartedTogetherLeaveOneWholeOutput) {
  for (int round = 0; round < 5; ++round) {
    SCOPED_TRACE(round);
    place_.Reset();
    std::array<std::unique_ptr<Child>, 3> children;
    for (std::unique_ptr<Child>& child : children) {
      child = std::make_unique<Child>(place_.CommandLine(2));
    }
    int done = 0;
    for (const std::unique_ptr<Child>& child : children) {
      const AppRun run = child->Wait();
      done += run.code == place_.command().exit_code ? 1 : 0;
      EXPECT_TRUE(run.code == place_.command().exit_code || run.code == kIo) << run.err;
    }
    EXPECT_GE(done, 1);
    EXPECT_EQ(place_.CheckDone(), "");
  }
}

TEST_P(Processes, ASignalKeepsTheWorkAndTheExitCodeTellsIt) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    SCOPED_TRACE(number);
    Gate gate;
    const std::unique_ptr<Child> child = Halted(gate);
    child->Signal(number);
    gate.LetGo();
    const AppRun run = child->Wait();
    EXPECT_EQ(run.code, 128 + number) << run.err;
    EXPECT_NE(run.err.find("the work done so far is kept"), std::string::npos) << run.err;
    EXPECT_TRUE(place_.IsTouched());
    EXPECT_EQ(place_.CheckAfterDeath(), "");
    EXPECT_EQ(place_.CheckNextRun(), "");
  }
}

// The child never goes on by itself.
TEST_P(Processes, ASecondInterruptLeavesAtOnceAndTheWorkStays) {
  Gate gate;
  const std::unique_ptr<Child> child = Halted(gate);
  child->Signal(SIGINT);
  child->Signal(SIGTERM);
  const int code = child->Wait().code;
  EXPECT_TRUE(code == 128 + SIGINT || code == 128 + SIGTERM) << code;
  EXPECT_EQ(place_.CheckAfterDeath(), "");
  EXPECT_EQ(place_.CheckNextRun(), "");
}

TEST_P(Processes, AClosedPipeEndsQuietlyAndTheOutputIsWhole) {
  place_.Reset();
  std::vector<std::string> line = place_.CommandLine();
  line.insert(line.end(), {"--json", "--quiet"});
  const AppRun run = Child(line, [] {
                       std::array<int, 2> ends{};
                       if (::pipe(ends.data()) != 0 || ::dup2(ends[1], STDOUT_FILENO) < 0) {
                         ::_exit(98);
                       }
                       ::close(ends[0]);
                       ::close(ends[1]);
                     }).Wait();
  EXPECT_EQ(run.code, 128 + SIGPIPE);
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(place_.CheckDone(), "");
}

INSTANTIATE_TEST_SUITE_P(Commands, Processes, ::testing::Range(size_t{0}, WritingCommands().size()),
                         [](const auto& info) {
                           return std::string(WritingCommands()[info.param].name);
                         });

}  // namespace
}  // namespace lbrx
