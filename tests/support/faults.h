// A file system that fails on order.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/io/fault.h"

namespace lbrx {

// Installed from construction to destruction; one at a time. Thread-safe.
class FaultyIo : public FaultInjector {
 public:
  FaultyIo();
  ~FaultyIo() override;
  FaultyIo(const FaultyIo&) = delete;
  FaultyIo& operator=(const FaultyIo&) = delete;

  // Makes the n-th call (from 1, counted since construction) of that kind, or of any kind, fail
  // with that errno; or every call from the n-th on, as after a crash. May be called several times.
  void FailOnce(std::optional<IoCall> kind, uint64_t n, int error_number);
  void FailFrom(std::optional<IoCall> kind, uint64_t n, int error_number);
  // Reads and writes move at most that many bytes a call.
  void LimitTransfers(size_t most);
  uint64_t Count(std::optional<IoCall> kind = std::nullopt) const;
  // The paths of the calls that were made to fail.
  std::set<std::string> Failed() const;

  // From here on remembers what each file held when it was last synced (or first written to).
  void RecordUnsynced();
  // Power loss: files get back what they held then. Folder entries and renames stay as they are.
  void Crash();

  int Before(IoCall call, const std::string& path) override;
  size_t Shorten(IoCall call, size_t length) override;
  void BeforeWrite(int descriptor, const std::string& path, uint64_t offset,
                   size_t length) override;
  void AfterSync(const std::string& path) override;

 private:
  struct Rule {
    std::optional<IoCall> kind;
    uint64_t n;
    bool onwards;
    int error_number;
  };

  struct Snapshot;
  using FileId = std::pair<uint64_t, uint64_t>;  // device, inode

  uint64_t CountLocked(std::optional<IoCall> kind) const;
  void Remember(int descriptor);

  mutable std::mutex mutex_;
  std::vector<Rule> rules_;
  std::map<IoCall, uint64_t> counts_;
  std::set<std::string> failed_;
  size_t most_ = SIZE_MAX;
  bool recording_ = false;
  std::map<FileId, std::unique_ptr<Snapshot>> unsynced_;
};

}  // namespace lbrx
