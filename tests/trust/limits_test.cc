// What the system gives only so much of: disk, memory, files, threads. Each run in a process of its
// own.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>

#include "core/base/format.h"
#include "trust/child.h"
#include "trust/workplace.h"

namespace lbrx {
namespace {

constexpr int kNoSpace = 6;

void SetLimit(decltype(RLIMIT_AS) what, uint64_t value) {
  const rlimit limit{value, value};
  if (::setrlimit(what, &limit) != 0) {
    ::_exit(98);
  }
}

// Quantizes a model of many shards into many.
WritingCommand ManyShards() {
  return {"ManyShards",
          "out",
          {"quantize", "@/model", "@/out", "-q", "4bit", "--shard-size", "10000"},
          [](const std::string& folder) {
            WriteTrustModel(folder + "/whole", /*layers=*/4);
            Make(folder, {"convert", "@/whole", "@/model", "--shard-size", "20000"});
          }};
}

class Limits : public ::testing::TestWithParam<size_t> {
 protected:
  Limits() : place_(WritingCommands()[GetParam()], {.replace = GetParam() % 2 == 0}) {}

  // Runs under a limit; afterwards what must hold does.
  int RunUnder(const std::function<void()>& limit, const std::vector<int>& codes,
               const std::string& told, unsigned threads = 2) const {
    place_.Reset();
    const AppRun run = Child(place_.CommandLine(threads), limit).Wait();
    EXPECT_EQ(place_.CheckAfter(run, {codes, {told}}), "");
    EXPECT_EQ(place_.CheckNextRun(), "");
    return run.code;
  }

  const Workplace place_;
};

TEST_P(Limits, FilesMayNotGrow) {
  int refused = 0;
  for (const uint64_t bytes : {1, 100, 3000, 10'000, 30'000, 1'000'000}) {
    SCOPED_TRACE(bytes);
    const int code =
        RunUnder([bytes] { SetLimit(RLIMIT_FSIZE, bytes); }, {kNoSpace}, place_.destination());
    refused += code == kNoSpace ? 1 : 0;
  }
  EXPECT_GE(refused, 2);
}

TEST_P(Limits, SixteenFilesMayBeOpen) {
  EXPECT_EQ(RunUnder([] { SetLimit(RLIMIT_NOFILE, 16); }, {}, ""), place_.command().exit_code);
}

TEST(LimitsOfShards, SixteenFilesMayBeOpenHoweverManyThereAre) {
  const Workplace place(ManyShards(), {});
  place.Reset();
  const AppRun run = Child(place.CommandLine(4), [] { SetLimit(RLIMIT_NOFILE, 16); }).Wait();
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(place.CheckDone(), "");
}

TEST_P(Limits, NoThreadCanStart) {
  constexpr uid_t kNobody = 65534;
  // Root is not limited.
  const auto limit = [this] {
    if (::getuid() == 0) {
      for (const auto& entry : std::filesystem::recursive_directory_iterator(place_.folder())) {
        (void)!::lchown(entry.path().c_str(), kNobody, kNobody);
      }
      if (::chown(place_.folder().c_str(), kNobody, kNobody) != 0 || ::setgid(kNobody) != 0 ||
          ::setuid(kNobody) != 0) {
        ::_exit(98);
      }
    }
    SetLimit(RLIMIT_NPROC, 0);
  };
  EXPECT_EQ(RunUnder(limit, {}, "", 8), place_.command().exit_code);
}

TEST_P(Limits, FiveHundredAndTwelveThreads) {
  EXPECT_EQ(RunUnder([] {}, {}, "", 512), place_.command().exit_code);
}

// A sanitizer reserves more address space than any limit would leave.
#if !defined(__SANITIZE_ADDRESS__) && !defined(LBRX_SANITIZED)

constexpr int kLimit = 7;

uint64_t AddressSpace() {
  uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

TEST_P(Limits, AddressSpaceIsShort) {
  int refused = 0;
  for (const uint64_t spare : {0, 64 << 10, 512 << 10, 1 << 20, 4 << 20, 64 << 20}) {
    SCOPED_TRACE(spare);
    const int code =
        RunUnder([spare] { SetLimit(RLIMIT_AS, AddressSpace() + spare); }, {kLimit}, "memory");
    refused += code == kLimit ? 1 : 0;
  }
  EXPECT_LT(refused, 6);
}

#endif

// A small disk of our own, seen by this process alone.
class SmallDisk {
 public:
  // nullopt where the system lets nobody mount.
  static std::optional<SmallDisk> Mount(const std::string& folder) {
    if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
      return std::nullopt;
    }
    (void)::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    if (::mount("lbrx-test", folder.c_str(), "tmpfs", 0, "size=64m") != 0) {
      return std::nullopt;
    }
    return SmallDisk(folder);
  }

  void LeaveFree(uint64_t bytes) const {
    struct statvfs status {};

    ::statvfs(folder_.c_str(), &status);
    const uint64_t used = (status.f_blocks - status.f_bfree) * status.f_frsize;
    const std::string size = Format("size={}", used + bytes);
    if (::mount("lbrx-test", folder_.c_str(), "tmpfs", MS_REMOUNT, size.c_str()) != 0) {
      throw std::runtime_error("the disk's size cannot be changed");
    }
  }

 private:
  explicit SmallDisk(std::string folder) : folder_(std::move(folder)) {}

  std::string folder_;
};

// One command on a disk that is a page too small, then two, until it has enough; what was wrong.
std::string FillDisk(const SmallDisk& disk, const WritingCommand& command, bool replace) {
  constexpr uint64_t kPage = 4096;
  constexpr uint64_t kMost = 400;
  constexpr uint64_t kPlenty = uint64_t{64} << 20;
  disk.LeaveFree(kPlenty);
  const Workplace place(command, {.replace = replace});
  for (uint64_t pages = 0; pages < kMost; ++pages) {
    place.Reset();
    disk.LeaveFree(pages * kPage);
    const AppRun run = place.Run();
    std::string wrong = place.CheckAfter(run, {{kNoSpace}, {place.destination()}});
    disk.LeaveFree(kPlenty);
    wrong += place.CheckNextRun();
    if (!wrong.empty()) {
      return Format("{} with {} pages: {}\n", command.name, pages, wrong);
    }
    if (run.code == command.exit_code) {
      return pages > 2 ? "" : Format("{} wrote next to nothing\n", command.name);
    }
  }
  return Format("{} never has enough\n", command.name);
}

// In a process of its own, whose mounts nobody else sees.
TEST(FullDisk, EveryCommandOnADiskOfEverySize) {
  const TempDir folder;
  EXPECT_EXIT(
      {
        const std::optional<SmallDisk> disk = SmallDisk::Mount(folder.path());
        if (!disk) {
          std::cerr << "no mounts here; Limits.FilesMayNotGrow stands for it\n";
          std::_Exit(0);
        }
        ::setenv("TMPDIR", folder.path().c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
        std::string wrong;
        for (size_t i = 0; i < WritingCommands().size(); ++i) {
          wrong += FillDisk(*disk, WritingCommands()[i], i % 2 == 0);
        }
        std::cerr << wrong << (wrong.empty() ? "all is well\n" : "");
        std::_Exit(wrong.empty() ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

INSTANTIATE_TEST_SUITE_P(Commands, Limits, ::testing::Range(size_t{0}, WritingCommands().size()),
                         [](const auto& info) {
                           return std::string(WritingCommands()[info.param].name);
                         });

}  // namespace
}  // namespace lbrx
