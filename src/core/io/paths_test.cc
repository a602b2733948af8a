// The path helpers of file.h.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <utility>

#include "core/base/error.h"
#include "core/io/file.h"
#include "support/faults.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

using Strings = std::vector<std::string>;

TEST(PathsTest, TakesPathsApart) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"a", "a", "."},    {"a/b", "b", "a"}, {"a/b/", "b", "a"},  {"a/b//", "b", "a"},
      {"a//b", "b", "a"}, {"/a", "a", "/"},  {"/a/b", "b", "/a"}, {"/", "/", "/"},
      {"//", "/", "/"},   {"./a", "a", "."}, {"..", "..", "."},   {"", "", "."},
      {"/a/", "a", "/"}};
  for (const auto& [path, base, parent] : cases) {
    EXPECT_EQ(BaseName(path), base) << path;
    EXPECT_EQ(ParentPath(path), parent) << path;
  }
}

TEST(PathsTest, Joins) {
  EXPECT_EQ(JoinPath("a", "b"), "a/b");
  EXPECT_EQ(JoinPath("a/", "b"), "a/b");
  EXPECT_EQ(JoinPath("", "b"), "b");
  EXPECT_EQ(JoinPath("/", "b"), "/b");
}

TEST(PathsTest, TellsWhatIsThere) {
  const TempDir dir;
  WriteTestFile(dir / "file", "x");
  std::filesystem::create_directory(dir / "folder");
  std::filesystem::create_symlink("file", dir / "link");
  std::filesystem::create_symlink("none", dir / "dangling");
  std::filesystem::create_symlink("loop", dir / "loop");
  ASSERT_EQ(mkfifo((dir / "fifo").c_str(), 0600), 0);
  EXPECT_TRUE(PathExists(dir / "file") && IsRegularFile(dir / "file"));
  EXPECT_TRUE(PathExists(dir / "link") && IsRegularFile(dir / "link"));
  EXPECT_TRUE(PathExists(dir / "folder") && IsDirectory(dir / "folder"));
  EXPECT_TRUE(PathExists(dir / "fifo"));
  EXPECT_FALSE(IsRegularFile(dir / "fifo") || IsDirectory(dir / "fifo"));
  EXPECT_FALSE(IsDirectory(dir / "file") || IsRegularFile(dir / "folder"));
  for (const char* name : {"none", "dangling", "loop", "file/below"}) {
    EXPECT_FALSE(PathExists(dir / name)) << name;
  }
}

TEST(PathsTest, ListsSortedByBytes) {
  const TempDir dir;
  for (const char* name : {"b", "a", "B", "\u00E4", ".hidden"}) {
    WriteTestFile(dir / name, "");
  }
  EXPECT_EQ(ListDirectory(dir.path()), (Strings{".hidden", "B", "a", "b", "\u00E4"}));
  EXPECT_THROW(ListDirectory(dir / "none"), Error);
  EXPECT_THROW(ListDirectory(dir / "a"), Error);
}

TEST(PathsTest, ResolvesLinks) {
  const TempDir dir;
  std::filesystem::create_directory(dir / "real");
  std::filesystem::create_symlink("real", dir / "link");
  EXPECT_EQ(RealPath(dir / "link/../link/."), std::filesystem::canonical(dir / "real"));
  EXPECT_THROW(RealPath(dir / "none"), Error);
}

TEST(PathsTest, MakesOneLevel) {
  const TempDir dir;
  MakeDirectory(dir / "a");
  EXPECT_TRUE(std::filesystem::is_directory(dir / "a"));
  EXPECT_THROW(MakeDirectory(dir / "a"), Error);
  EXPECT_THROW(MakeDirectory(dir / "b/c"), Error);
}

TEST(PathsTest, RemovesTreesButNotWhatLinksLeadTo) {
  const TempDir dir;
  std::filesystem::create_directories(dir / "tree/sub/deep");
  WriteTestFile(dir / "tree/sub/file", "x");
  WriteTestFile(dir / "outside", "stays");
  std::filesystem::create_directory(dir / "kept");
  WriteTestFile(dir / "kept/file", "stays");
  std::filesystem::create_symlink("../../kept", dir / "tree/sub/link");
  std::filesystem::create_symlink("none", dir / "tree/dangling");
  RemoveTree(dir / "tree");
  EXPECT_EQ(ListDirectory(dir.path()), (Strings{"kept", "outside"}));
  EXPECT_EQ(ReadTestFile(dir / "kept/file"), "stays");
  RemoveTree(dir / "outside");
  RemoveTree(dir / "none");
  EXPECT_EQ(ListDirectory(dir.path()), Strings{"kept"});
}

TEST(PathsTest, RenameReplacesAFile) {
  const TempDir dir;
  WriteTestFile(dir / "a", "new");
  WriteTestFile(dir / "b", "old");
  RenamePath(dir / "a", dir / "b");
  EXPECT_EQ(ListDirectory(dir.path()), Strings{"b"});
  EXPECT_EQ(ReadTestFile(dir / "b"), "new");
  EXPECT_THROW(RenamePath(dir / "none", dir / "c"), Error);
}

// A file or a folder with a file in it.
void MakeThing(const std::string& path, bool folder, const std::string& text) {
  if (folder) {
    std::filesystem::create_directory(path);
  }
  WriteTestFile(folder ? path + "/file" : path, text);
}

std::string TextOf(const std::string& path) {
  return ReadTestFile(std::filesystem::is_directory(path) ? path + "/file" : path);
}

TEST(PathsTest, ExchangesFilesAndFoldersWithAndWithoutSupport) {
  for (int i = 0; i < 8; ++i) {
    const TempDir dir;
    MakeThing(dir / "a", (i & 1) != 0, "A");
    MakeThing(dir / "b", (i & 2) != 0, "B");
    FaultyIo faults;
    if ((i & 4) != 0) {
      faults.FailOnce(IoCall::kRename, 1, EINVAL);
    }
    ExchangePaths(dir / "a", dir / "b");
    EXPECT_EQ(faults.Count(IoCall::kRename), (i & 4) != 0 ? 4U : 1U);
    EXPECT_EQ(TextOf(dir / "a"), "B") << i;
    EXPECT_EQ(TextOf(dir / "b"), "A") << i;
    EXPECT_EQ(ListDirectory(dir.path()), (Strings{"a", "b"})) << i;
  }
}

TEST(PathsTest, ExchangeWithoutSupportIsPutBackOnFailure) {
  const TempDir dir;
  WriteTestFile(dir / "a", "A");
  WriteTestFile(dir / "b", "B");
  for (uint64_t n = 2; n <= 3; ++n) {
    FaultyIo faults;
    faults.FailOnce(IoCall::kRename, 1, ENOSYS);
    faults.FailOnce(IoCall::kRename, n, EIO);
    EXPECT_THROW(ExchangePaths(dir / "a", dir / "b"), Error);
    EXPECT_EQ(ReadTestFile(dir / "a"), "A");
    EXPECT_EQ(ReadTestFile(dir / "b"), "B");
    EXPECT_EQ(ListDirectory(dir.path()), (Strings{"a", "b"}));
  }
  EXPECT_THROW(ExchangePaths(dir / "a", dir / "none"), Error);
}

TEST(PathsTest, FoldersThatCannotBeSyncedAreNoError) {
  const TempDir dir;
  SyncDirectory(dir.path());
  {
    FaultyIo faults;
    faults.FailOnce(IoCall::kSyncDirectory, 1, EINVAL);
    SyncDirectory(dir.path());
    EXPECT_EQ(faults.Count(IoCall::kSyncDirectory), 1U);
  }
  FaultyIo faults;
  faults.FailOnce(IoCall::kSyncDirectory, 1, EIO);
  EXPECT_THROW(SyncDirectory(dir.path()), Error);
  EXPECT_THROW(SyncDirectory(dir / "none"), Error);
}

TEST(PathsTest, FreeSpaceIsThatOfTheNearestFolder) {
  const TempDir dir;
  const auto expected = static_cast<double>(std::filesystem::space(dir.path()).available);
  // Others use the disk meanwhile.
  EXPECT_NEAR(static_cast<double>(FreeSpace(dir / "not/yet/there")), expected, expected * 0.1);
  EXPECT_GT(FreeSpace("not-here"), 0U);
  EXPECT_GT(FreeSpace(""), 0U);
}

}  // namespace
}  // namespace lbrx
