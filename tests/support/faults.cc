#include "support/faults.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace lbrx {

// A file's content when it was durable for the last time.
struct FaultyIo::Snapshot {
  explicit Snapshot(int from) : descriptor(::fcntl(from, F_DUPFD_CLOEXEC, 0)) {
    struct stat status = {};
    if (descriptor < 0 || ::fstat(descriptor, &status) != 0) {
      throw std::runtime_error("cannot remember a file");
    }
    content.resize(static_cast<size_t>(status.st_size));
    if (::pread(descriptor, content.data(), content.size(), 0) != status.st_size) {
      throw std::runtime_error("cannot remember a file's content");
    }
  }

  ~Snapshot() { ::close(descriptor); }

  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  void Restore() const {
    const auto size = static_cast<ssize_t>(content.size());
    if (::ftruncate(descriptor, size) != 0 ||
        ::pwrite(descriptor, content.data(), content.size(), 0) != size) {
      throw std::runtime_error("cannot restore a file");
    }
  }

  int descriptor;
  std::string content;
};

FaultyIo::FaultyIo() {
  SetFaultInjector(this);
}

FaultyIo::~FaultyIo() {
  SetFaultInjector(nullptr);
}

void FaultyIo::FailOnce(std::optional<IoCall> kind, uint64_t n, int error_number) {
  const std::lock_guard<std::mutex> lock(mutex_);
  rules_.push_back({kind, n, false, error_number});
}

void FaultyIo::FailFrom(std::optional<IoCall> kind, uint64_t n, int error_number) {
  const std::lock_guard<std::mutex> lock(mutex_);
  rules_.push_back({kind, n, true, error_number});
}

void FaultyIo::LimitTransfers(size_t most) {
  const std::lock_guard<std::mutex> lock(mutex_);
  most_ = most;
}

uint64_t FaultyIo::CountLocked(std::optional<IoCall> kind) const {
  uint64_t sum = 0;
  for (const auto& [counted, count] : counts_) {
    sum += !kind.has_value() || counted == *kind ? count : 0;
  }
  return sum;
}

uint64_t FaultyIo::Count(std::optional<IoCall> kind) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return CountLocked(kind);
}

std::set<std::string> FaultyIo::Failed() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return failed_;
}

void FaultyIo::RecordUnsynced() {
  const std::lock_guard<std::mutex> lock(mutex_);
  recording_ = true;
}

void FaultyIo::Crash() {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [id, snapshot] : unsynced_) {
    snapshot->Restore();
  }
  unsynced_.clear();
}

void FaultyIo::Remember(int descriptor) {
  struct stat status = {};
  if (!recording_ || ::fstat(descriptor, &status) != 0) {
    return;
  }
  std::unique_ptr<Snapshot>& snapshot = unsynced_[{status.st_dev, status.st_ino}];
  if (snapshot == nullptr) {
    snapshot = std::make_unique<Snapshot>(descriptor);
  }
}

int FaultyIo::Before(IoCall call, const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++counts_[call];
  for (const Rule& rule : rules_) {
    if (rule.kind.has_value() && *rule.kind != call) {
      continue;
    }
    const uint64_t count = CountLocked(rule.kind);
    if (count == rule.n || (rule.onwards && count > rule.n)) {
      failed_.insert(path);
      return rule.error_number;
    }
  }
  if (recording_ && (call == IoCall::kTruncate || call == IoCall::kAllocate)) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (descriptor >= 0) {
      Remember(descriptor);
      ::close(descriptor);
    }
  }
  return 0;
}

size_t FaultyIo::Shorten(IoCall /*call*/, size_t length) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::min(length, most_);
}

void FaultyIo::BeforeWrite(int descriptor, const std::string& /*path*/, uint64_t /*offset*/,
                           size_t /*length*/) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Remember(descriptor);
}

void FaultyIo::AfterSync(const std::string& path) {
  struct stat status = {};
  const std::lock_guard<std::mutex> lock(mutex_);
  if (::stat(path.c_str(), &status) == 0) {
    unsynced_.erase({status.st_dev, status.st_ino});
  }
}

}  // namespace lbrx
