// Whom a lock belongs to, where the file system has no locks of its own and only the file tells.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "core/base/format.h"
#include "support/faults.h"
#include "trust/child.h"
#include "trust/workplace.h"

namespace lbrx {
namespace {

class Locks : public ::testing::Test {
 protected:
  // The lock file that a run writes, while it holds it.
  std::string LockOfARun(bool alive) {
    place_.Reset();
    constexpr uint64_t kInTheWork = 10;
    child_ =
        std::make_unique<Child>(place_.CommandLine(), [this] { gate_.StopAtWrite(kInTheWork); });
    EXPECT_TRUE(gate_.WaitUntilStopped());
    std::string text = ReadTestFile(place_.partial() + "/lock");
    if (!alive) {
      child_.reset();
    }
    return text;
  }

  AppRun RunWithoutLocks() const {
    FaultyIo io;
    io.FailFrom(IoCall::kLock, 1, ENOLCK);
    return place_.Run();
  }

  void WriteLock(const std::string& text) const {
    std::filesystem::create_directory(place_.partial());
    WriteTestFile(place_.partial() + "/lock", text);
  }

  const Workplace place_{WritingCommands()[0], {}};
  Gate gate_;
  std::unique_ptr<Child> child_;
};

TEST_F(Locks, ALiveProcessKeepsItsOutput) {
  LockOfARun(/*alive=*/true);
  const AppRun run = RunWithoutLocks();
  EXPECT_EQ(run.code, 5) << run.err;
  EXPECT_NE(run.err.find(Format("pid {}", child_->pid())), std::string::npos) << run.err;
}

TEST_F(Locks, TheLockOfADeadProcessIsTaken) {
  LockOfARun(/*alive=*/false);
  EXPECT_EQ(RunWithoutLocks().code, 0);
  EXPECT_EQ(place_.CheckDone(), "");
}

// The number of a dead process now belongs to another, which began at another time.
TEST_F(Locks, ANumberGivenToAnotherProcessIsTold) {
  std::string text = LockOfARun(/*alive=*/false);
  const size_t at = text.find("pid ");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, text.find('\n', at) - at, Format("pid {}", ::getppid()));
  place_.Reset();
  WriteLock(text);
  EXPECT_EQ(RunWithoutLocks().code, 0);
  EXPECT_EQ(place_.CheckDone(), "");
}

TEST_F(Locks, ALockThatTellsNothingIsTaken) {
  place_.Reset();
  WriteLock("");
  EXPECT_EQ(RunWithoutLocks().code, 0);
  EXPECT_EQ(place_.CheckDone(), "");
}

}  // namespace
}  // namespace lbrx
