// The path helpers of file.h.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>
#endif

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <utility>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/io/file.h"
#include "core/io/system_call.h"

namespace lbrx {

namespace {

// The status of what `path` leads to, or nullopt where there is nothing.
std::optional<struct stat> Status(const std::string& path, bool follow) {
  struct stat status = {};
  const int result = follow ? ::stat(path.c_str(), &status) : ::lstat(path.c_str(), &status);
  if (result == 0) {
    return status;
  }
  // A loop of links leads nowhere, as a dangling link does.
  if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) {
    return std::nullopt;
  }
  ThrowSystemError(errno, path, "cannot be examined");
}

bool HasType(const std::string& path, mode_t type) {
  const std::optional<struct stat> status = Status(path, true);
  return status.has_value() && (status->st_mode & S_IFMT) == type;
}

std::string_view WithoutTrailingSlashes(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') {
    path.remove_suffix(1);
  }
  return path;
}

// -1 with errno; EINVAL, ENOSYS or ENOTSUP where the system or the file system has no exchange.
int ExchangeAtomically(const char* a, const char* b) {
#if defined(__linux__)
  constexpr unsigned kExchange = 2;  // RENAME_EXCHANGE of linux/fs.h
  return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, kExchange));
#elif defined(__APPLE__)
  return ::renamex_np(a, b, RENAME_SWAP);
#else
  (void)a;
  (void)b;
  errno = ENOSYS;
  return -1;
#endif
}

}  // namespace

void ThrowSystemError(int error_number, const std::string& path, const std::string& what) {
  if (error_number == ENOSPC) {
    std::string free = "unknown";
    try {
      free = FormatBytes(FreeSpace(path));
    } catch (const Error&) {  // the first failure is the one to tell
    }
    ThrowErrno(error_number, path, Format("{} ({} free)", what, free));
  }
  ThrowErrno(error_number, path, what);
}

bool PathExists(const std::string& path) {
  return Status(path, true).has_value();
}

bool EntryExists(const std::string& path) {
  return Status(path, false).has_value();
}

std::optional<uint64_t> InodeOf(const std::string& path) {
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0) {
    return std::nullopt;
  }
  return static_cast<uint64_t>(status.st_ino);
}

void ThrowExists(const std::string& path) {
  ErrorDetail detail;
  detail.file = path;
  detail.what = "already exists";
  detail.advice = "use --force to replace it";
  throw Error(ErrorCode::kIo, std::move(detail));
}

bool IsDirectory(const std::string& path) {
  return HasType(path, S_IFDIR);
}

bool IsRegularFile(const std::string& path) {
  return HasType(path, S_IFREG);
}

std::vector<std::string> ListDirectory(const std::string& path) {
  DIR* directory = nullptr;
  const int result = CallSystem(IoCall::kOpen, path, [&] {
    directory = ::opendir(path.c_str());
    return directory == nullptr ? -1 : 0;
  });
  if (result != 0) {
    ThrowSystemError(errno, path, "cannot be listed");
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> closer(directory, ::closedir);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const struct dirent* entry = ::readdir(directory);  // NOLINT(concurrency-mt-unsafe): own DIR
    if (entry == nullptr) {
      break;
    }
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") {
      names.emplace_back(name);
    }
  }
  if (errno != 0) {
    ThrowSystemError(errno, path, "cannot be listed");
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string JoinPath(const std::string& folder, const std::string& name) {
  if (folder.empty()) {
    return name;
  }
  return folder.back() == '/' ? folder + name : folder + "/" + name;
}

std::string BaseName(const std::string& path) {
  const std::string_view trimmed = WithoutTrailingSlashes(path);
  const size_t slash = trimmed.rfind('/');
  if (slash == std::string_view::npos || trimmed.size() == 1) {
    return std::string(trimmed);
  }
  return std::string(trimmed.substr(slash + 1));
}

std::string ParentPath(const std::string& path) {
  const std::string_view trimmed = WithoutTrailingSlashes(path);
  const size_t slash = trimmed.rfind('/');
  if (slash == std::string_view::npos) {
    return ".";
  }
  return std::string(WithoutTrailingSlashes(trimmed.substr(0, std::max<size_t>(slash, 1))));
}

std::string RealPath(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> resolved(::realpath(path.c_str(), nullptr), ::free);
  if (resolved == nullptr) {
    ThrowSystemError(errno, path, "cannot be resolved");
  }
  return resolved.get();
}

void MakeDirectory(const std::string& path) {
  if (CallSystem(IoCall::kMakeDirectory, path, [&] { return ::mkdir(path.c_str(), 0777); }) != 0) {
    ThrowSystemError(errno, path, "the folder cannot be made");
  }
}

void RemoveFile(const std::string& path) {
  if (CallSystem(IoCall::kRemove, path, [&] { return ::unlink(path.c_str()); }) != 0 &&
      errno != ENOENT) {
    ThrowSystemError(errno, path, "cannot be removed");
  }
}

bool RemoveEmptyDirectory(const std::string& path) {
  if (CallSystem(IoCall::kRemove, path, [&] { return ::rmdir(path.c_str()); }) == 0 ||
      errno == ENOENT) {
    return true;
  }
  if (errno != ENOTEMPTY && errno != EEXIST) {  // both are used for "not empty"
    ThrowSystemError(errno, path, "cannot be removed");
  }
  return false;
}

void RemoveTree(const std::string& path) {
  const std::optional<struct stat> status = Status(path, false);
  if (!status.has_value()) {
    return;
  }
  if (!S_ISDIR(status->st_mode)) {
    RemoveFile(path);
    return;
  }
  for (const std::string& name : ListDirectory(path)) {
    RemoveTree(JoinPath(path, name));
  }
  if (!RemoveEmptyDirectory(path)) {
    ThrowSystemError(ENOTEMPTY, path, "cannot be removed");
  }
}

void RenamePath(const std::string& from, const std::string& to) {
  if (CallSystem(IoCall::kRename, from, [&] { return ::rename(from.c_str(), to.c_str()); }) != 0) {
    ThrowSystemError(errno, from, "cannot be renamed to " + to);
  }
}

void ExchangePaths(const std::string& a, const std::string& b) {
  if (CallSystem(IoCall::kRename, a, [&] { return ExchangeAtomically(a.c_str(), b.c_str()); }) ==
      0) {
    return;
  }
  if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP) {
    ThrowSystemError(errno, a, "cannot be exchanged with " + b);
  }
  const std::string aside = a + kExchangeSuffix;
  RenamePath(b, aside);
  try {
    RenamePath(a, b);
  } catch (const Error&) {
    RenamePath(aside, b);
    throw;
  }
  RenamePath(aside, a);
}

void SyncDirectory(const std::string& path) {
  const int descriptor = CallSystem(IoCall::kOpen, path, [&] {
    return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  });
  if (descriptor < 0) {
    ThrowSystemError(errno, path, "cannot be opened");
  }
  const int result = CallSystem(IoCall::kSyncDirectory, path, [&] {
#ifdef F_FULLFSYNC
    if (::fcntl(descriptor, F_FULLFSYNC) == 0) {
      return 0;
    }
#endif
    return ::fsync(descriptor);
  });
  const int failure = errno;
  ::close(descriptor);
  // EINVAL and ENOTSUP: the file system (some network and user-space ones) cannot sync folders.
  if (result != 0 && failure != EINVAL && failure != ENOTSUP) {
    ThrowSystemError(failure, path, "the folder cannot be made durable");
  }
}

void WriteRecord(const std::string& path, std::string_view text, bool sync) {
  const std::string temporary = path + ".new";
  {
    const std::shared_ptr<File> file = File::OpenWrite(temporary);
    file->Truncate(0);
    file->WriteAt(0, text);
    if (sync) {
      file->Sync();
    }
  }
  RenamePath(temporary, path);
  if (sync) {
    SyncDirectory(ParentPath(path));
  }
}

uint64_t FreeSpace(const std::string& path) {
  std::string place = path.empty() ? "." : path;
  while (!IsDirectory(place)) {
    const std::string parent = ParentPath(place);
    if (parent == place) {
      break;
    }
    place = parent;
  }
  struct statvfs status = {};
  if (::statvfs(place.c_str(), &status) != 0) {
    ThrowErrno(errno, place, "the free space cannot be found out");
  }
  return static_cast<uint64_t>(status.f_bavail) * status.f_frsize;
}

}  // namespace lbrx
