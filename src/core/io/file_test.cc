#include "core/io/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <functional>
#include <thread>

#include "core/base/error.h"
#include "support/faults.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

// Runs `act`, which must throw an Error of that code, and returns its message.
std::string MessageOf(ErrorCode code, const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "did not throw";
  return "";
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string ReadText(const File& file, uint64_t offset, size_t length) {
  std::string text(length, '\0');
  file.ReadAt(offset, std::as_writable_bytes(std::span(text.data(), text.size())));
  return text;
}

TEST(FileTest, WritesAndReadsByPosition) {
  const TempDir dir;
  const std::shared_ptr<File> file = File::Create(dir / "a");
  file->WriteAt(5, "world");
  file->WriteAt(0, "hello");
  EXPECT_EQ(file->Size(), 10U);
  EXPECT_EQ(ReadText(*file, 3, 4), "lowo");
  EXPECT_EQ(ReadTestFile(dir / "a"), "helloworld");
  EXPECT_EQ(ReadText(*file, 10, 0), "");
}

TEST(FileTest, CreateRefusesAnExistingFile) {
  const TempDir dir;
  WriteTestFile(dir / "a", "old");
  MessageOf(ErrorCode::kIo, [&] { File::Create(dir / "a"); });
  EXPECT_EQ(ReadTestFile(dir / "a"), "old");
}

TEST(FileTest, OpenWriteKeepsWhatIsThere) {
  const TempDir dir;
  WriteTestFile(dir / "a", "old text");
  File::OpenWrite(dir / "a")->WriteAt(0, "new");
  EXPECT_EQ(ReadTestFile(dir / "a"), "new text");
  File::OpenWrite(dir / "b");
  EXPECT_EQ(ReadTestFile(dir / "b"), "");
}

TEST(FileTest, RefusesWhatIsNoRegularFileWithoutBlocking) {
  const TempDir dir;
  ASSERT_EQ(mkfifo((dir / "fifo").c_str(), 0600), 0);
  std::filesystem::create_directory(dir / "folder");
  const int socket_descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (dir / "socket").c_str(), sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(socket_descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  const std::pair<std::string, const char*> cases[] = {{dir / "fifo", "found a FIFO"},
                                                       {dir / "folder", "found a directory"},
                                                       {dir / "socket", "found a socket"},
                                                       {"/dev/null", "found a device"}};
  for (const auto& [name, found] : cases) {
    const std::string& path = name;  // clang 14 cannot capture a binding
    for (const bool write : {false, true}) {
      const std::string message = MessageOf(
          ErrorCode::kInvalid, [&] { write ? File::OpenWrite(path) : File::OpenRead(path); });
      EXPECT_TRUE(Contains(message, found)) << message;
      EXPECT_TRUE(Contains(message, path)) << message;
    }
  }
  close(socket_descriptor);
}

TEST(FileTest, MissingAndDanglingAreTold) {
  const TempDir dir;
  EXPECT_TRUE(
      Contains(MessageOf(ErrorCode::kIo, [&] { File::OpenRead(dir / "none"); }), "No such file"));
  std::filesystem::create_symlink("none", dir / "link");
  EXPECT_TRUE(Contains(MessageOf(ErrorCode::kIo, [&] { File::OpenRead(dir / "link"); }),
                       "symbolic link to something that does not exist"));
  std::filesystem::create_symlink("loop", dir / "loop");
  MessageOf(ErrorCode::kIo, [&] { File::OpenRead(dir / "loop"); });
}

TEST(FileTest, FileThatEndsEarlyIsToldWithFigures) {
  const TempDir dir;
  WriteTestFile(dir / "a", "0123456789");
  const std::shared_ptr<File> file = File::OpenRead(dir / "a");
  const std::string message = MessageOf(ErrorCode::kIo, [&] { ReadText(*file, 4, 20); });
  EXPECT_TRUE(Contains(message, "ends too early, expected 20 bytes, found 6, at byte 4"))
      << message;
  MessageOf(ErrorCode::kIo, [&] { ReadText(*file, UINT64_MAX, 1); });
  MessageOf(ErrorCode::kIo, [&] { ReadText(*file, uint64_t{1} << 62, 8); });
}

TEST(FileTest, ShortAndInterruptedCallsAreContinued) {
  const TempDir dir;
  const std::string text = "The quick brown fox jumps over the lazy dog";
  for (const size_t most : {1, 2, 7, 42}) {
    FaultyIo faults;
    faults.LimitTransfers(most);
    faults.FailOnce(IoCall::kWrite, 2, EINTR);
    faults.FailOnce(IoCall::kRead, 1, EINTR);
    faults.FailOnce(IoCall::kOpen, 1, EINTR);
    faults.FailOnce(IoCall::kSync, 1, EINTR);
    const std::shared_ptr<File> file = File::OpenWrite(dir / "a");
    file->Truncate(0);
    file->WriteAt(0, text);
    file->Sync();
    EXPECT_EQ(ReadText(*file, 0, text.size()), text);
    EXPECT_EQ(faults.Count(IoCall::kWrite), (text.size() + most - 1) / most + 1);
    EXPECT_EQ(faults.Count(IoCall::kSync), 2U);
  }
}

TEST(FileTest, EveryFailingCallThrowsTheRightCode) {
  const TempDir dir;
  const std::pair<int, ErrorCode> errors[] = {{ENOSPC, ErrorCode::kNoSpace},
                                              {EIO, ErrorCode::kIo},
                                              {EACCES, ErrorCode::kPermission},
                                              {EFBIG, ErrorCode::kNoSpace}};
  for (const auto& [number, code] : errors) {
    for (uint64_t n = 1; n <= 6; ++n) {
      std::filesystem::remove(dir / "a");
      FaultyIo faults;
      faults.FailOnce(std::nullopt, n, number);
      const std::string message = MessageOf(code, [&] {
        const std::shared_ptr<File> file = File::Create(dir / "a");
        file->Allocate(100);
        file->WriteAt(0, "text");
        ReadText(*file, 0, 4);
        file->Truncate(4);
        file->Sync();
      });
      EXPECT_EQ(faults.Count(), n);
      EXPECT_TRUE(Contains(message, dir / "a")) << message;
    }
  }
}

TEST(FileTest, AllocateMakesTheFileThatLong) {
  const TempDir dir;
  const std::shared_ptr<File> file = File::Create(dir / "a");
  file->Allocate(100000);
  EXPECT_EQ(file->Size(), 100000U);
  EXPECT_EQ(ReadText(*file, 99990, 10), std::string(10, '\0'));
  file->WriteAt(0, "kept");
  file->Allocate(200000);
  EXPECT_EQ(file->Size(), 200000U);
  file->Allocate(2);
  EXPECT_EQ(ReadTestFile(dir / "a"), "ke");
  file->Allocate(0);
  EXPECT_EQ(file->Size(), 0U);
  MessageOf(ErrorCode::kNoSpace, [&] { file->Allocate(UINT64_MAX); });
}

TEST(FileTest, AllocateWithoutSupportTruncates) {
  const TempDir dir;
  FaultyIo faults;
  faults.FailFrom(IoCall::kAllocate, 1, EOPNOTSUPP);
  const std::shared_ptr<File> file = File::Create(dir / "a");
  file->Allocate(5000);
  EXPECT_EQ(file->Size(), 5000U);
  EXPECT_EQ(faults.Count(IoCall::kTruncate), 1U);
}

TEST(FileTest, NoSpaceTellsNeedAndFree) {
  const TempDir dir;
  FaultyIo faults;
  faults.FailOnce(IoCall::kAllocate, 1, ENOSPC);
  const std::shared_ptr<File> file = File::Create(dir / "a");
  const std::string message = MessageOf(ErrorCode::kNoSpace, [&] { file->Allocate(5000000000); });
  EXPECT_TRUE(Contains(message, "cannot reserve 5 GB (")) << message;
  EXPECT_TRUE(Contains(message, " free): No space left")) << message;
  EXPECT_EQ(file->Size(), 0U);
}

TEST(FileTest, FileSizeLimitIsNoSpaceNotDeath) {
  const TempDir dir;
  const std::shared_ptr<File> file = File::Create(dir / "a");
  rlimit old_limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);  // as the program does
  rlimit small = old_limit;
  small.rlim_cur = 1000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string message =
      MessageOf(ErrorCode::kNoSpace, [&] { file->WriteAt(990, "0123456789abcdef"); });
  MessageOf(ErrorCode::kNoSpace, [&] { file->Allocate(2000); });
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_TRUE(Contains(message, "at byte 1000")) << message;
  EXPECT_TRUE(Contains(message, "--shard-size")) << message;
}

TEST(FileTest, FingerprintChangesWithTheFile) {
  const TempDir dir;
  WriteTestFile(dir / "a", "text");
  const Fingerprint first = File::OpenRead(dir / "a")->GetFingerprint();
  EXPECT_EQ(first.size, 4U);
  EXPECT_EQ(File::OpenRead(dir / "a")->GetFingerprint(), first);
  std::filesystem::last_write_time(
      dir / "a", std::filesystem::last_write_time(dir / "a") + std::chrono::seconds(5));
  const Fingerprint touched = File::OpenRead(dir / "a")->GetFingerprint();
  EXPECT_EQ(touched.mtime_ns - first.mtime_ns, 5000000000);
  EXPECT_EQ(touched.inode, first.inode);
  WriteTestFile(dir / "b", "text");
  EXPECT_NE(File::OpenRead(dir / "b")->GetFingerprint().inode, first.inode);
}

TEST(FileTest, ThreadsReadAndWriteAtOnce) {
  const TempDir dir;
  const std::shared_ptr<File> file = File::Create(dir / "a");
  std::vector<std::thread> threads;
  for (char c = 'a'; c < 'e'; ++c) {
    threads.emplace_back([&file, c] {
      const uint64_t begin = static_cast<uint64_t>(c - 'a') * 10000;
      for (uint64_t i = 0; i < 100; ++i) {
        file->WriteAt(begin + i * 100, std::string(100, c));
        EXPECT_EQ(ReadText(*file, begin + i * 100, 100), std::string(100, c));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(ReadTestFile(dir / "a"), std::string(10000, 'a') + std::string(10000, 'b') +
                                         std::string(10000, 'c') + std::string(10000, 'd'));
}

TEST(FileTest, HintsDoNotFail) {
  const TempDir dir;
  const std::shared_ptr<File> file = File::Create(dir / "a");
  file->WriteAt(0, "text");
  file->StartWriteback(0, 1 << 20);
  file->WillNeed(1 << 30, 1 << 20);
  EXPECT_EQ(ReadText(*file, 0, 4), "text");
}

TEST(FileTest, PowerLossTakesUnsyncedWritesBack) {
  const TempDir dir;
  WriteTestFile(dir / "a", "durable");
  FaultyIo faults;
  faults.RecordUnsynced();
  const std::shared_ptr<File> a = File::OpenWrite(dir / "a");
  const std::shared_ptr<File> b = File::Create(dir / "b");
  a->WriteAt(0, "DUR");
  a->Sync();
  a->WriteAt(3, "lost and longer");
  b->Allocate(100);
  b->WriteAt(0, "lost");
  faults.Crash();
  EXPECT_EQ(ReadTestFile(dir / "a"), "DURable");
  EXPECT_EQ(ReadTestFile(dir / "b"), "");
  b->WriteAt(0, "kept");
  b->Sync();
  b->Truncate(1);
  faults.Crash();
  EXPECT_EQ(ReadTestFile(dir / "b"), "kept");
}

TEST(ReadWholeFileTest, KeepsToTheLimit) {
  const TempDir dir;
  WriteTestFile(dir / "a", std::string("ab\0c", 4));
  EXPECT_EQ(ReadWholeFile(dir / "a"), std::string("ab\0c", 4));
  EXPECT_EQ(ReadWholeFile(dir / "a", 4), std::string("ab\0c", 4));
  const std::string message = MessageOf(ErrorCode::kInvalid, [&] { ReadWholeFile(dir / "a", 3); });
  EXPECT_TRUE(Contains(message, "expected at most 3 bytes, found 4")) << message;
  WriteTestFile(dir / "empty", "");
  EXPECT_EQ(ReadWholeFile(dir / "empty"), "");
}

TEST(MappedFileTest, ShowsTheContent) {
  const TempDir dir;
  WriteTestFile(dir / "a", "mapped");
  const std::shared_ptr<MappedFile> mapped = MappedFile::Open(dir / "a");
  ASSERT_EQ(mapped->bytes().size(), 6U);
  EXPECT_EQ(std::memcmp(mapped->bytes().data(), "mapped", 6), 0);
  WriteTestFile(dir / "empty", "");
  EXPECT_TRUE(MappedFile::Open(dir / "empty")->bytes().empty());
  MessageOf(ErrorCode::kIo, [&] { MappedFile::Open(dir / "none"); });
  MessageOf(ErrorCode::kInvalid, [&] { MappedFile::Open(dir.path()); });
}

}  // namespace
}  // namespace lbrx
