#include "core/parallel/hardware.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <filesystem>
#include <thread>

#include "core/parallel/executor.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

TEST(HardwareTest, SmallestQuotaOfTheGroupAndThoseAboveCounts) {
  const TempDir dir;
  std::filesystem::create_directories(dir / "a/b");
  EXPECT_EQ(CgroupCpus(dir.path(), "0::/a/b\n"), 0U);  // no cpu.max anywhere
  WriteTestFile(dir / "a/b/cpu.max", "max 100000\n");
  EXPECT_EQ(CgroupCpus(dir.path(), "0::/a/b\n"), 0U);
  WriteTestFile(dir / "a/cpu.max", "250000 100000\n");
  EXPECT_EQ(CgroupCpus(dir.path(), "0::/a/b\n"), 3U);  // 2.5, rounded up
  WriteTestFile(dir / "a/b/cpu.max", "400000 100000\n");
  EXPECT_EQ(CgroupCpus(dir.path(), "0::/a/b\n"), 3U);
  WriteTestFile(dir / "cpu.max", "50000 100000\n");
  EXPECT_EQ(CgroupCpus(dir.path(), "0::/a/b\n"), 1U);
  EXPECT_EQ(CgroupCpus(dir.path(), "12:cpu:/x\n0::/a/b\n"), 1U);
  EXPECT_EQ(CgroupCpus(dir.path(), "12:cpu:/x\n"), 1U);  // the root's
  EXPECT_EQ(CgroupCpus(dir.path(), ""), 1U);
}

TEST(HardwareTest, NonsenseIsNoQuota) {
  const TempDir dir;
  for (const char* text : {"", "0 100000", "100000 0", "x y", "-"}) {
    WriteTestFile(dir / "cpu.max", text);
    EXPECT_EQ(CgroupCpus(dir.path(), "0::/"), 0U) << text;
  }
}

TEST(HardwareTest, AffinityCounts) {
  unsigned pinned = 0;
  unsigned threads = 0;
  std::thread([&] {  // the mask of this thread alone
    cpu_set_t mask;
    ASSERT_EQ(sched_getaffinity(0, sizeof(mask), &mask), 0);
    int first = 0;
    while (!CPU_ISSET(first, &mask)) {
      ++first;
    }
    CPU_ZERO(&mask);
    CPU_SET(first, &mask);
    ASSERT_EQ(sched_setaffinity(0, sizeof(mask), &mask), 0);
    pinned = AffinityCpus();
    threads = Executor::HardwareThreads();
  })
      .join();
  EXPECT_EQ(pinned, 1U);
  EXPECT_EQ(threads, 1U);
  EXPECT_GE(Executor::HardwareThreads(), 1U);
  EXPECT_LE(Executor::HardwareThreads(), AffinityCpus());
}

}  // namespace
}  // namespace lbrx
