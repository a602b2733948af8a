#include "core/io/folder_lock.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <ctime>
#include <fstream>
#include <iterator>
#include <sstream>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/io/system_call.h"

namespace lbrx {

namespace {

// What a holder writes into the lock file, for people and for file systems without flock.
struct Holder {
  long pid = 0;  // 0: not known
  std::string started;
  std::string host;
  std::string process_start;  // see ProcessStart()
};

std::string HostName() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) {
    return "unknown";
  }
  return name.data();
}

std::string UtcNow() {
  const std::time_t now = std::time(nullptr);
  std::tm parts = {};
  ::gmtime_r(&now, &parts);
  return Format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

// When a process began, in a form of the system's own, or "" where it does not tell: a number that
// has been given to another process is known by it.
std::string ProcessStart(long pid) {
  std::ifstream status(Format("/proc/{}/stat", pid));
  const std::string text{std::istreambuf_iterator<char>(status), {}};
  // The name of the program, in brackets, may hold anything. The 20th field after it (proc(5)).
  std::istringstream fields(text.substr(std::min(text.rfind(')'), text.size())));
  std::string field;
  for (int i = 0; i <= 20; ++i) {
    field.clear();
    fields >> field;
  }
  return field;
}

// The rest of the line that starts with `key`, or "".
std::string FieldOf(const std::string& text, const std::string& key) {
  const size_t start = text.find(key);
  if (start == std::string::npos) {
    return "";
  }
  const size_t value = start + key.size();
  return text.substr(value, text.find('\n', value) - value);
}

Holder ReadHolder(const std::string& path) {
  Holder holder;
  try {
    const std::string text = ReadWholeFile(path, 4096);
    const std::string pid = FieldOf(text, "pid ");
    (void)std::from_chars(pid.data(), pid.data() + pid.size(), holder.pid);
    holder.started = FieldOf(text, "started ");
    holder.host = FieldOf(text, "host ");
    holder.process_start = FieldOf(text, "process-start ");
  } catch (const Error&) {  // just being made or removed: an unknown holder
  }
  return holder;
}

// The content only informs; on a full disk the lock holds without it.
void WriteHolder(File& lock) {
  try {
    lock.Truncate(0);
    lock.WriteAt(0, Format("pid {}\nstarted {}\nhost {}\nprocess-start {}\n", ::getpid(), UtcNow(),
                           HostName(), ProcessStart(::getpid())));
  } catch (const Error&) {  // see above
  }
}

[[noreturn]] void ThrowHeld(const std::string& folder, const Holder& holder) {
  ErrorDetail detail;
  detail.file = folder;
  detail.what = "another process is working on this output";
  if (holder.pid != 0) {
    detail.what += Format(" (pid {} on {}, since {})", holder.pid, holder.host, holder.started);
  }
  detail.advice = "wait for it or stop it";
  throw Error(ErrorCode::kIo, std::move(detail));
}

// For file systems without flock: is the holder named in the file alive on this host?
bool IsAlive(const Holder& holder) {
  if (holder.pid <= 0 || holder.pid == ::getpid() || holder.host != HostName()) {
    return false;
  }
  const std::string start = ProcessStart(holder.pid);
  if (!holder.process_start.empty() && !start.empty() && start != holder.process_start) {
    return false;
  }
  return ::kill(static_cast<pid_t>(holder.pid), 0) == 0 || errno == EPERM;
}

void TakeLock(const File& lock, const std::string& folder) {
  if (CallSystem(IoCall::kLock, lock.path(),
                 [&] { return ::flock(lock.descriptor(), LOCK_EX | LOCK_NB); }) == 0) {
    return;
  }
  const int failure = errno;
  if (failure == EWOULDBLOCK) {
    ThrowHeld(folder, ReadHolder(lock.path()));
  }
  if (failure != ENOLCK && failure != ENOTSUP && failure != ENOSYS && failure != EINVAL) {
    ThrowSystemError(failure, lock.path(), "cannot be locked");
  }
  const Holder holder = ReadHolder(lock.path());
  if (IsAlive(holder)) {
    ThrowHeld(folder, holder);
  }
}

// False where a holder before us has removed the file since we opened it.
bool IsStillAtItsPath(const File& lock) {
  struct stat status = {};
  const Fingerprint ours = lock.GetFingerprint();
  return ::stat(lock.path().c_str(), &status) == 0 &&
         static_cast<uint64_t>(status.st_dev) == ours.device &&
         static_cast<uint64_t>(status.st_ino) == ours.inode;
}

std::shared_ptr<File> OpenLockFile(const std::string& folder, bool create) {
  if (create && !IsDirectory(folder)) {
    MakeDirectory(folder);
  }
  return File::OpenWrite(JoinPath(folder, "lock"));
}

}  // namespace

std::shared_ptr<File> LockFolder(const std::string& folder, bool create) {
  // Other processes may make and remove folder and lock between any two of our calls.
  constexpr int kTries = 100;
  for (int tries = 1; tries <= kTries; ++tries) {
    if (!create && !EntryExists(folder)) {
      return nullptr;
    }
    std::shared_ptr<File> lock;
    try {
      lock = OpenLockFile(folder, create);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kIo || tries == kTries) {
        throw;
      }
      continue;
    }
    TakeLock(*lock, folder);
    if (IsStillAtItsPath(*lock)) {
      WriteHolder(*lock);
      return lock;
    }
  }
  ThrowHeld(folder, {});
}

}  // namespace lbrx
