#include "core/io/partial.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>

#include "core/base/error.h"
#include "support/faults.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

using Options = PartialOutput::Options;

// What stands at a destination.
enum class Kind { kNone, kFile, kFolder };

void Put(const std::string& path, Kind kind, const std::string& text) {
  if (kind == Kind::kFolder) {
    std::filesystem::create_directories(path + "/sub");
    WriteTestFile(path + "/file", text);
    WriteTestFile(path + "/sub/file", text);
  } else if (kind == Kind::kFile) {
    WriteTestFile(path, text);
  }
}

// The text that Put wrote, "none", or "mixed".
std::string Get(const std::string& path) {
  if (!std::filesystem::exists(std::filesystem::symlink_status(path))) {
    return "none";
  }
  if (!std::filesystem::is_directory(path)) {
    return ReadTestFile(path);
  }
  const std::string text = ReadTestFile(path + "/file");
  return ReadTestFile(path + "/sub/file") == text ? text : "mixed";
}

std::string MessageOf(ErrorCode code, const std::string& destination, const Options& options) {
  try {
    PartialOutput::Open(destination, options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "did not throw";
  return "";
}

// What a command does: everything, or what an earlier run of the same plan left to do. Returns
// whether that run had already committed.
bool RunCommand(const std::string& destination, const Options& options, Kind kind) {
  const std::unique_ptr<PartialOutput> partial = PartialOutput::Open(destination, options);
  if (partial->already_committed()) {
    if (PathExists(partial->journal_path()) && ReadTestFile(partial->journal_path()) == "plan") {
      partial->Discard();
      return true;
    }
    partial->Reset();
  }
  if (!PathExists(partial->journal_path())) {
    RemoveTree(partial->data_path());
    Put(partial->data_path(), kind, "new");
    WriteTestFile(partial->journal_path(), "plan");
  }
  // A journal speaks of data: it must be there and whole.
  EXPECT_EQ(Get(partial->data_path()), "new");
  partial->Commit();
  return false;
}

TEST(PartialOutputTest, NothingIsAtTheDestinationBeforeCommit) {
  const TempDir dir;
  const std::unique_ptr<PartialOutput> partial = PartialOutput::Open(dir / "out//", {});
  EXPECT_EQ(partial->destination(), dir / "out");
  EXPECT_EQ(partial->folder(), dir / "out.lbrx-partial");
  EXPECT_FALSE(partial->already_committed());
  Put(partial->data_path(), Kind::kFolder, "new");
  EXPECT_EQ(Get(dir / "out"), "none");
  partial->Commit();
  EXPECT_EQ(Get(dir / "out"), "new");
  EXPECT_EQ(ListDirectory(dir.path()), std::vector<std::string>{"out"});
}

TEST(PartialOutputTest, ExistingDestinationsAreRefusedWithoutForce) {
  const TempDir dir;
  Put(dir / "file", Kind::kFile, "old");
  Put(dir / "folder", Kind::kFolder, "old");
  std::filesystem::create_symlink("none", dir / "dangling");
  for (const char* name : {"file", "folder", "folder/", "dangling"}) {
    const std::string message = MessageOf(ErrorCode::kIo, dir / name, {});
    EXPECT_NE(message.find("already exists; use --force"), std::string::npos) << message;
  }
  EXPECT_EQ(ListDirectory(dir.path()).size(), 3U);  // no partial folders
  EXPECT_EQ(Get(dir / "folder"), "old");
}

TEST(PartialOutputTest, DestinationMadeMeanwhileIsNotReplacedWithoutForce) {
  const TempDir dir;
  const std::unique_ptr<PartialOutput> partial = PartialOutput::Open(dir / "out", {});
  Put(partial->data_path(), Kind::kFile, "new");
  Put(dir / "out", Kind::kFile, "other");
  EXPECT_THROW(partial->Commit(), Error);
  EXPECT_EQ(Get(dir / "out"), "other");
}

TEST(PartialOutputTest, ImpossibleDestinationsAreRefused) {
  const TempDir dir;
  const std::string message = MessageOf(ErrorCode::kIo, dir / "missing/out", {});
  EXPECT_NE(message.find("missing does not exist"), std::string::npos) << message;
  MessageOf(ErrorCode::kUsage, "/", {.force = true});
  MessageOf(ErrorCode::kUsage, "", {});
  WriteTestFile(dir / "out.lbrx-partial", "a file in the way");
  MessageOf(ErrorCode::kIo, dir / "out", {});
}

TEST(PartialOutputTest, ForceExchangesAnyKindForAnyKind) {
  for (const Kind old_kind : {Kind::kNone, Kind::kFile, Kind::kFolder}) {
    for (const Kind new_kind : {Kind::kFile, Kind::kFolder}) {
      const TempDir dir;
      Put(dir / "out", old_kind, "old");
      EXPECT_FALSE(RunCommand(dir / "out", {.force = true, .sync = true}, new_kind));
      EXPECT_EQ(Get(dir / "out"), "new");
      EXPECT_EQ(std::filesystem::is_directory(dir / "out"), new_kind == Kind::kFolder);
      EXPECT_EQ(ListDirectory(dir.path()), std::vector<std::string>{"out"});
    }
  }
}

TEST(PartialOutputTest, ForceReplacesALinkAndSparesWhatItLeadsTo) {
  const TempDir dir;
  Put(dir / "real", Kind::kFolder, "old");
  std::filesystem::create_symlink("real", dir / "out");
  RunCommand(dir / "out", {.force = true, .sync = true}, Kind::kFolder);
  EXPECT_FALSE(std::filesystem::is_symlink(dir / "out"));
  EXPECT_EQ(Get(dir / "out"), "new");
  EXPECT_EQ(Get(dir / "real"), "old");
}

TEST(PartialOutputTest, ReopensWhatWasLeft) {
  const TempDir dir;
  {
    const std::unique_ptr<PartialOutput> partial = PartialOutput::Open(dir / "out", {});
    Put(partial->data_path(), Kind::kFolder, "half");
    WriteTestFile(partial->journal_path(), "journal");
  }
  const std::unique_ptr<PartialOutput> partial = PartialOutput::Open(dir / "out", {});
  EXPECT_FALSE(partial->already_committed());
  EXPECT_EQ(Get(partial->data_path()), "half");
  EXPECT_EQ(ReadTestFile(partial->journal_path()), "journal");
  partial->Reset();
  EXPECT_FALSE(PathExists(partial->data_path()) || PathExists(partial->journal_path()));
  EXPECT_NE(MessageOf(ErrorCode::kIo, dir / "out", {}).find("another process"),
            std::string::npos);  // still locked
  partial->Discard();
  EXPECT_TRUE(ListDirectory(dir.path()).empty());
}

TEST(PartialOutputTest, SyncsOnlyWhenAsked) {
  const TempDir dir;
  FaultyIo faults;
  RunCommand(dir / "a", {.force = false, .sync = false}, Kind::kFolder);
  EXPECT_EQ(faults.Count(IoCall::kSync), 0U);
  EXPECT_EQ(faults.Count(IoCall::kSyncDirectory), 0U);
  RunCommand(dir / "b", {.force = false, .sync = true}, Kind::kFolder);
  EXPECT_EQ(faults.Count(IoCall::kSync), 1U);           // the commit record
  EXPECT_EQ(faults.Count(IoCall::kSyncDirectory), 4U);  // data, data/sub, the record's, the parent
}

// Lets a child process hold the output; Release kills it as kill -9 does.
class Holder {
 public:
  explicit Holder(const std::string& destination) {
    int ends[2] = {-1, -1};
    if (pipe(ends) != 0) {
      throw std::runtime_error("pipe");
    }
    pid_ = fork();
    if (pid_ == 0) {
      const std::unique_ptr<PartialOutput> partial = PartialOutput::Open(destination, {});
      Put(partial->data_path(), Kind::kFile, "half");
      (void)!write(ends[1], "x", 1);
      pause();
      _exit(0);
    }
    close(ends[1]);
    char ready = 0;
    held_ = read(ends[0], &ready, 1) == 1;
    close(ends[0]);
  }

  ~Holder() { Release(); }

  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  void Release() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
      pid_ = 0;
    }
  }

  pid_t pid() const { return pid_; }

  bool held() const { return held_; }

 private:
  pid_t pid_ = 0;
  bool held_ = false;
};

TEST(PartialLockTest, SecondProcessIsRefusedNamingTheFirst) {
  const TempDir dir;
  Holder holder(dir / "out");
  ASSERT_TRUE(holder.held());
  const std::string pid = "pid " + std::to_string(holder.pid());
  const std::string message = MessageOf(ErrorCode::kIo, dir / "out", {.force = true});
  EXPECT_NE(message.find(pid), std::string::npos) << message;
  EXPECT_THROW(CleanPartial(dir / "out"), Error);
  holder.Release();
  const std::unique_ptr<PartialOutput> partial = PartialOutput::Open(dir / "out", {});
  EXPECT_EQ(Get(partial->data_path()), "half");  // the dead one's lock is free, its work kept
}

TEST(PartialLockTest, WithoutFlockTheLivingHolderIsRespected) {
  const TempDir dir;
  Holder holder(dir / "out");
  ASSERT_TRUE(holder.held());
  FaultyIo faults;
  faults.FailFrom(IoCall::kLock, 1, ENOLCK);
  const std::string message = MessageOf(ErrorCode::kIo, dir / "out", {});
  EXPECT_NE(message.find("pid " + std::to_string(holder.pid())), std::string::npos) << message;
  holder.Release();
  PartialOutput::Open(dir / "out", {})->Discard();
  EXPECT_TRUE(ListDirectory(dir.path()).empty());
}

TEST(PartialLockTest, ProcessesThatRaceAllSucceedInTurnOrAreRefused) {
  const TempDir dir;
  constexpr int kProcesses = 4;
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t pid = fork();
    if (pid == 0) {
      // Exit status 0: nothing unexpected. Each opens and discards many times.
      for (int round = 0; round < 100; ++round) {
        try {
          const std::unique_ptr<PartialOutput> partial = PartialOutput::Open(dir / "out", {});
          if (PathExists(partial->journal_path())) {
            _exit(1);  // someone else is inside
          }
          WriteTestFile(partial->journal_path(), "mine");
          partial->Discard();
        } catch (const Error& error) {
          if (std::string(error.what()).find("another process") == std::string::npos) {
            _exit(2);
          }
        }
      }
      _exit(0);
    }
    children.push_back(pid);
  }
  for (const pid_t child : children) {
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_FALSE(CleanPartial(dir / "out"));
}

TEST(CleanPartialTest, RemovesWhatWasLeft) {
  const TempDir dir;
  EXPECT_FALSE(CleanPartial(dir / "out"));
  Put(PartialOutput::Open(dir / "out", {})->data_path(), Kind::kFolder, "half");
  WriteTestFile(dir / "out.lbrx-partial/stray", "x");
  EXPECT_TRUE(CleanPartial(dir / "out/"));
  EXPECT_TRUE(ListDirectory(dir.path()).empty());
}

}  // namespace
}  // namespace lbrx
