// A command is cut off at every system call of PartialOutput::Commit, in two ways: from there on
// every call fails (as if killed: nothing can be tidied up), or this call alone. Then the same
// command runs again.
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "core/base/error.h"
#include "core/io/partial.h"
#include "support/faults.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

struct Scenario {
  bool old_exists;
  bool old_is_folder;
  bool new_is_folder;
  bool can_exchange;
  bool killed;  // else one call fails
};

std::string Describe(const Scenario& scenario, uint64_t n) {
  return std::string(scenario.old_exists ? "old " : "no old ") +
         (scenario.old_is_folder ? "folder, " : "file, ") +
         (scenario.new_is_folder ? "new folder, " : "new file, ") +
         (scenario.can_exchange ? "exchange, " : "no exchange, ") +
         (scenario.killed ? "killed at call " : "failing call ") + std::to_string(n);
}

void Put(const std::string& path, bool folder, const std::string& text) {
  if (folder) {
    std::filesystem::create_directory(path);
  }
  WriteTestFile(folder ? path + "/a" : path, text);
  if (folder) {
    WriteTestFile(path + "/b", text);
  }
}

std::string Get(const std::string& path) {
  if (!std::filesystem::exists(path)) {
    return "none";
  }
  if (!std::filesystem::is_directory(path)) {
    return ReadTestFile(path);
  }
  const std::string text = ReadTestFile(path + "/a");
  return ReadTestFile(path + "/b") == text ? text : "mixed";
}

// Whatever a kill leaves, `again` must come to an end with the new output in place.
void RunAgain(const std::string& out, const Scenario& scenario) {
  const PartialOutput::Options options = {.force = scenario.old_exists, .sync = true};
  std::unique_ptr<PartialOutput> partial;
  try {
    partial = PartialOutput::Open(out, options);
  } catch (const Error& error) {
    // Only where nothing was left to do but the removal of the empty folder.
    EXPECT_NE(std::string(error.what()).find("already exists"), std::string::npos) << error.what();
    EXPECT_EQ(Get(out), "new");
    CleanPartial(out);
    return;
  }
  const std::string found = Get(out);
  EXPECT_TRUE(found == "new" || found == (scenario.old_exists ? "old" : "none")) << found;
  const bool has_journal = PathExists(partial->journal_path());
  if (partial->already_committed()) {
    EXPECT_EQ(found, "new");
    EXPECT_FALSE(PathExists(partial->data_path()));
    if (has_journal) {
      partial->Discard();
      return;
    }
    if (!options.force) {
      EXPECT_THROW(partial->Reset(), Error);
      return;
    }
    partial->Reset();
  }
  if (has_journal && !PathExists(partial->journal_path())) {
    ADD_FAILURE() << "the journal went away";
  }
  if (PathExists(partial->journal_path())) {
    EXPECT_EQ(Get(partial->data_path()), "new") << "a journal without its data";
  } else {
    RemoveTree(partial->data_path());
    Put(partial->data_path(), scenario.new_is_folder, "new");
  }
  partial->Commit();
}

// False where Commit needed fewer than n calls, so that nothing was cut off.
bool CutOffAt(const Scenario& scenario, uint64_t n) {
  SCOPED_TRACE(Describe(scenario, n));
  const TempDir dir;
  const std::string out = dir / "out";
  if (scenario.old_exists) {
    Put(out, scenario.old_is_folder, "old");
  }
  bool reached = false;
  {
    const std::unique_ptr<PartialOutput> partial =
        PartialOutput::Open(out, {.force = scenario.old_exists, .sync = true});
    Put(partial->data_path(), scenario.new_is_folder, "new");
    WriteTestFile(partial->journal_path(), "plan");
    FaultyIo faults;
    if (!scenario.can_exchange) {
      faults.FailOnce(IoCall::kRename, 2, EINVAL);  // the first moves the commit record
    }
    if (scenario.killed) {
      faults.FailFrom(std::nullopt, n, EIO);
    } else {
      faults.FailOnce(std::nullopt, n, EIO);
    }
    try {
      partial->Commit();
    } catch (const Error&) {
      reached = true;
    }
    reached = reached || faults.Count() >= n;
  }
  const std::string left = Get(out);
  const bool aside = !scenario.can_exchange && left == "none";
  EXPECT_TRUE(left == "new" || left == (scenario.old_exists ? "old" : "none") || aside) << left;
  RunAgain(out, scenario);
  EXPECT_EQ(Get(out), "new");
  EXPECT_EQ(ListDirectory(dir.path()), std::vector<std::string>{"out"});
  return reached;
}

void CutOffEverywhere(const Scenario& scenario) {
  uint64_t n = 1;
  while (CutOffAt(scenario, n)) {
    ++n;
  }
  EXPECT_GT(n, 10U) << "too few calls to be true";
}

TEST(CommitTest, CutOffAnywhereLeavesOldOrNewAndEndsWell) {
  const Scenario scenarios[] = {{false, false, true, true, true}, {false, false, false, true, true},
                                {true, true, true, true, true},   {true, false, true, true, true},
                                {true, true, false, true, true},  {false, false, true, true, false},
                                {true, true, true, true, false}};
  for (const Scenario& scenario : scenarios) {
    CutOffEverywhere(scenario);
  }
}

TEST(CommitTest, CutOffAnywhereWithoutExchangeEndsWell) {
  CutOffEverywhere({true, true, true, false, true});
  CutOffEverywhere({true, false, true, false, true});
  CutOffEverywhere({true, true, true, false, false});
}

// A run that was killed right after the move.
void KillAfterTheMove(const std::string& out, bool force) {
  const std::unique_ptr<PartialOutput> partial =
      PartialOutput::Open(out, {.force = force, .sync = true});
  Put(partial->data_path(), true, "new");
  WriteTestFile(partial->journal_path(), "plan");
  FaultyIo faults;
  faults.FailFrom(IoCall::kRemove, 1, EIO);
  EXPECT_THROW(partial->Commit(), Error);
  EXPECT_EQ(Get(out), "new");
}

TEST(CommitTest, DiscardAndResetCutOffNeverLeaveAJournalWithoutItsData) {
  for (const bool reset : {false, true}) {
    uint64_t n = 1;
    for (bool reached = true; reached; ++n) {
      const TempDir dir;
      {
        const std::unique_ptr<PartialOutput> partial = PartialOutput::Open(dir / "out", {});
        Put(partial->data_path(), true, "half");
        WriteTestFile(partial->journal_path(), "plan");
        FaultyIo faults;
        faults.FailFrom(std::nullopt, n, EIO);
        reached = false;
        try {
          reset ? partial->Reset() : partial->Discard();
        } catch (const Error&) {
          reached = true;
        }
      }
      const std::unique_ptr<PartialOutput> partial = PartialOutput::Open(dir / "out", {});
      if (PathExists(partial->journal_path())) {
        EXPECT_EQ(Get(partial->data_path()), "half");
      }
      partial->Discard();
      EXPECT_TRUE(ListDirectory(dir.path()).empty());
    }
    EXPECT_GT(n, 5U);
  }
}

TEST(CommitTest, AnotherPlanAfterTheMoveIsRefusedWithoutForce) {
  const TempDir dir;
  KillAfterTheMove(dir / "out", false);
  const std::unique_ptr<PartialOutput> partial = PartialOutput::Open(dir / "out", {});
  ASSERT_TRUE(partial->already_committed());
  EXPECT_EQ(ReadTestFile(partial->journal_path()), "plan");
  try {
    partial->Reset();
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("already exists"), std::string::npos);
  }
  EXPECT_EQ(Get(dir / "out"), "new");
  EXPECT_EQ(ListDirectory(dir.path()), std::vector<std::string>{"out"});
}

TEST(CommitTest, AnotherPlanAfterTheMoveStartsOverWithForce) {
  const TempDir dir;
  Put(dir / "out", true, "old");
  KillAfterTheMove(dir / "out", true);
  const std::unique_ptr<PartialOutput> partial =
      PartialOutput::Open(dir / "out", {.force = true, .sync = true});
  ASSERT_TRUE(partial->already_committed());
  partial->Reset();
  EXPECT_FALSE(partial->already_committed());
  EXPECT_FALSE(PathExists(partial->journal_path()));
  Put(partial->data_path(), true, "newer");
  partial->Commit();
  EXPECT_EQ(Get(dir / "out"), "newer");
}

TEST(CommitTest, OutputRemovedAfterTheMoveIsMadeAgain) {
  // What lies in the folder then is the output before it, not something to resume.
  const TempDir dir;
  Put(dir / "out", true, "old");
  KillAfterTheMove(dir / "out", true);
  std::filesystem::remove_all(dir / "out");
  const std::unique_ptr<PartialOutput> partial = PartialOutput::Open(dir / "out", {});
  EXPECT_FALSE(partial->already_committed());
  EXPECT_FALSE(PathExists(partial->data_path()) || PathExists(partial->journal_path()));
}

TEST(CommitTest, CleaningPutsAnOldOutputBack) {
  const TempDir dir;
  Put(dir / "out", false, "old");
  {
    const std::unique_ptr<PartialOutput> partial =
        PartialOutput::Open(dir / "out", {.force = true, .sync = true});
    Put(partial->data_path(), false, "new");
    FaultyIo faults;
    faults.FailOnce(IoCall::kRename, 2, EINVAL);  // no exchange
    faults.FailFrom(IoCall::kRename, 4, EIO);     // killed after the old one was set aside
    EXPECT_THROW(partial->Commit(), Error);
    EXPECT_EQ(Get(dir / "out"), "none");
  }
  EXPECT_TRUE(CleanPartial(dir / "out"));
  EXPECT_EQ(Get(dir / "out"), "old");
  EXPECT_EQ(ListDirectory(dir.path()), std::vector<std::string>{"out"});
}

}  // namespace
}  // namespace lbrx
