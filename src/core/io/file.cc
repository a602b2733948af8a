#include "core/io/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/io/system_call.h"

namespace lbrx {

namespace {

// Linux moves at most 2^31 - 4096 bytes a call, macOS refuses more than 2^31 - 1.
constexpr size_t kMostPerCall = size_t{1} << 30;
constexpr uint64_t kLargestOffset = std::numeric_limits<off_t>::max();

const char* KindName(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return "a directory";
    case S_IFIFO:
      return "a FIFO";
    case S_IFSOCK:
      return "a socket";
    case S_IFCHR:
    case S_IFBLK:
      return "a device";
    default:
      return "something else";
  }
}

[[noreturn]] void ThrowNotRegular(const std::string& path, const char* found) {
  ErrorDetail detail;
  detail.file = path;
  detail.what = "cannot be used";
  detail.expected = "a regular file";
  detail.found = found;
  throw Error(ErrorCode::kInvalid, std::move(detail));
}

[[noreturn]] void ThrowOpenError(int error_number, const std::string& path) {
  struct stat status = {};
  if (error_number == ENOENT && ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode)) {
    throw Error(ErrorCode::kIo, {.file = path,
                                 .object = {},
                                 .what = "is a symbolic link to something that does not exist",
                                 .expected = {},
                                 .found = {},
                                 .offset = {},
                                 .advice = {}});
  }
  // What the system says of sockets and of devices without a driver.
  if ((error_number == ENXIO || error_number == EOPNOTSUPP || error_number == EISDIR) &&
      ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    ThrowNotRegular(path, KindName(status.st_mode));
  }
  ThrowSystemError(error_number, path, "cannot be opened");
}

// O_NONBLOCK: opening a FIFO or a device shall not wait; it means nothing for regular files.
int OpenRegular(const std::string& path, int flags) {
  const int descriptor = CallSystem(IoCall::kOpen, path, [&] {
    return ::open(path.c_str(), flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0666);
  });
  if (descriptor < 0) {
    ThrowOpenError(errno, path);
  }
  struct stat status = {};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    ThrowNotRegular(path, KindName(status.st_mode));
  }
  return descriptor;
}

struct stat StatusOf(int descriptor, const std::string& path) {
  struct stat status = {};
  if (::fstat(descriptor, &status) != 0) {
    ThrowSystemError(errno, path, "cannot be examined");
  }
  return status;
}

// Bytes that the next call may move.
size_t NextLength(IoCall call, size_t left) {
  const size_t length = std::min(left, kMostPerCall);
  FaultInjector* injector = GetFaultInjector();
  return injector == nullptr ? length : std::min(length, injector->Shorten(call, length));
}

[[noreturn]] void ThrowEndsEarly(const std::string& path, uint64_t offset, size_t expected,
                                 size_t found) {
  ErrorDetail detail;
  detail.file = path;
  detail.what = "the file ends too early";
  detail.expected = Format("{} bytes", expected);
  detail.found = Format("{}", found);
  detail.offset = offset;
  throw Error(ErrorCode::kIo, std::move(detail));
}

[[noreturn]] void ThrowTooLarge(const std::string& path) {
  ThrowSystemError(EFBIG, path, "cannot be written");
}

// Reserves blocks for [0, size) and makes the file at least that long, or returns -1 with errno.
// EOPNOTSUPP where the file system cannot.
int ReserveBlocks(int descriptor, off_t size) {
#if defined(__linux__)
  return ::fallocate(descriptor, 0, 0, size);
#elif defined(__APPLE__)
  struct stat status = {};
  if (::fstat(descriptor, &status) != 0) {
    return -1;
  }
  fstore_t store = {};
  store.fst_flags = F_ALLOCATEALL;
  store.fst_posmode = F_PEOFPOSMODE;
  store.fst_length = size - status.st_size;
  if (store.fst_length > 0 && ::fcntl(descriptor, F_PREALLOCATE, &store) == -1) {
    return -1;
  }
  return ::ftruncate(descriptor, size);
#else
  (void)descriptor;
  (void)size;
  errno = EOPNOTSUPP;
  return -1;
#endif
}

bool MeansUnsupported(int error_number) {
  return error_number == EOPNOTSUPP || error_number == ENOTSUP || error_number == ENOSYS ||
         error_number == EINVAL;
}

}  // namespace

File::File(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

File::~File() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

// In these three, what can run out of memory comes before there is a descriptor to be lost.
std::shared_ptr<File> File::OpenRead(const std::string& path) {
  std::shared_ptr<File> file(new File(path, -1));
  file->descriptor_ = OpenRegular(path, O_RDONLY);
  return file;
}

std::shared_ptr<File> File::Create(const std::string& path) {
  std::shared_ptr<File> file(new File(path, -1));
  file->descriptor_ = OpenRegular(path, O_RDWR | O_CREAT | O_EXCL);
  return file;
}

std::shared_ptr<File> File::OpenWrite(const std::string& path) {
  std::shared_ptr<File> file(new File(path, -1));
  file->descriptor_ = OpenRegular(path, O_RDWR | O_CREAT);
  return file;
}

uint64_t File::Size() const {
  return static_cast<uint64_t>(StatusOf(descriptor_, path_).st_size);
}

Fingerprint File::GetFingerprint() const {
  const struct stat status = StatusOf(descriptor_, path_);
#ifdef __APPLE__
  const struct timespec& modified = status.st_mtimespec;
#else
  const struct timespec& modified = status.st_mtim;
#endif
  return {.size = static_cast<uint64_t>(status.st_size),
          .mtime_ns = int64_t{modified.tv_sec} * 1000000000 + modified.tv_nsec,
          .device = static_cast<uint64_t>(status.st_dev),
          .inode = static_cast<uint64_t>(status.st_ino)};
}

void File::ReadAt(uint64_t offset, std::span<std::byte> out) const {
  if (offset > kLargestOffset - std::min<uint64_t>(out.size(), kLargestOffset)) {
    ThrowEndsEarly(path_, offset, out.size(), 0);
  }
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = CallSystem(IoCall::kRead, path_, [&] {
      return ::pread(descriptor_, out.data() + done, NextLength(IoCall::kRead, out.size() - done),
                     static_cast<off_t>(offset + done));
    });
    if (got < 0) {
      ThrowSystemError(errno, path_, Format("cannot be read at byte {}", offset + done));
    }
    if (got == 0) {
      ThrowEndsEarly(path_, offset, out.size(), done);
    }
    done += static_cast<size_t>(got);
  }
}

void File::WriteAt(uint64_t offset, std::span<const std::byte> data) {
  if (offset > kLargestOffset - std::min<uint64_t>(data.size(), kLargestOffset)) {
    ThrowTooLarge(path_);
  }
  size_t done = 0;
  while (done < data.size()) {
    const ssize_t put = CallSystem(IoCall::kWrite, path_, [&] {
      const size_t length = NextLength(IoCall::kWrite, data.size() - done);
      if (FaultInjector* injector = GetFaultInjector(); injector != nullptr) {
        injector->BeforeWrite(descriptor_, path_, offset + done, length);
      }
      return ::pwrite(descriptor_, data.data() + done, length, static_cast<off_t>(offset + done));
    });
    if (put <= 0) {
      ThrowSystemError(put < 0 ? errno : EIO, path_,
                       Format("cannot be written at byte {}", offset + done));
    }
    done += static_cast<size_t>(put);
  }
}

void File::WriteAt(uint64_t offset, std::string_view text) {
  WriteAt(offset, std::as_bytes(std::span(text.data(), text.size())));
}

void File::Allocate(uint64_t size) {
  if (size > kLargestOffset) {
    ThrowTooLarge(path_);
  }
  const uint64_t old_size = Size();
  if (size <= old_size) {
    Truncate(size);
    if (size == 0) {
      return;
    }
  }
  const auto wanted = static_cast<off_t>(size);
  if (CallSystem(IoCall::kAllocate, path_, [&] { return ReserveBlocks(descriptor_, wanted); }) ==
      0) {
    return;
  }
  const int failure = errno;
  if (MeansUnsupported(failure)) {
    Truncate(size);
    return;
  }
  // Gives back what was reserved before the disk was full. Best effort: the failure counts.
  (void)::ftruncate(descriptor_, static_cast<off_t>(std::min(old_size, size)));
  ThrowSystemError(failure, path_, Format("cannot reserve {}", FormatBytes(size)));
}

void File::Truncate(uint64_t size) {
  if (size > kLargestOffset) {
    ThrowTooLarge(path_);
  }
  if (CallSystem(IoCall::kTruncate, path_,
                 [&] { return ::ftruncate(descriptor_, static_cast<off_t>(size)); }) != 0) {
    ThrowSystemError(errno, path_, Format("cannot be made {} bytes long", size));
  }
}

void File::Sync() {
  const int result = CallSystem(IoCall::kSync, path_, [&] {
#ifdef F_FULLFSYNC
    // fsync alone leaves the data in the drive's cache; some file systems know only fsync.
    if (::fcntl(descriptor_, F_FULLFSYNC) == 0) {
      return 0;
    }
#endif
    return ::fsync(descriptor_);
  });
  if (result != 0) {
    ThrowSystemError(errno, path_, "cannot be made durable");
  }
  if (FaultInjector* injector = GetFaultInjector(); injector != nullptr) {
    injector->AfterSync(path_);
  }
}

void File::StartWriteback(uint64_t offset, uint64_t length) const {
#ifdef __linux__
  (void)::sync_file_range(descriptor_, static_cast<off_t>(offset), static_cast<off_t>(length),
                          SYNC_FILE_RANGE_WRITE);
#else
  (void)offset;
  (void)length;
#endif
}

void File::WillNeed(uint64_t offset, uint64_t length) const {
#ifdef __linux__
  (void)::posix_fadvise(descriptor_, static_cast<off_t>(offset), static_cast<off_t>(length),
                        POSIX_FADV_WILLNEED);
#elif defined(__APPLE__)
  struct radvisory advice = {};
  advice.ra_offset = static_cast<off_t>(offset);
  advice.ra_count = static_cast<int>(std::min<uint64_t>(length, kMostPerCall));
  (void)::fcntl(descriptor_, F_RDADVISE, &advice);
#endif
}

std::string ReadWholeFile(const std::string& path, uint64_t limit) {
  const std::shared_ptr<File> file = File::OpenRead(path);
  const uint64_t size = file->Size();
  if (size > limit) {
    ErrorDetail detail;
    detail.file = path;
    detail.what = "the file is too large";
    detail.expected = Format("at most {} bytes", limit);
    detail.found = Format("{}", size);
    throw Error(ErrorCode::kInvalid, std::move(detail));
  }
  std::string content(size, '\0');
  file->ReadAt(0, std::as_writable_bytes(std::span(content.data(), content.size())));
  return content;
}

}  // namespace lbrx
