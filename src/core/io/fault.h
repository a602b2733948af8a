// The fault layer: every system call that touches the file system asks here first. Without an
// injector (the normal case) that is one relaxed atomic load.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace lbrx {

enum class IoCall : uint8_t {
  kOpen,
  kRead,
  kWrite,
  kAllocate,
  kTruncate,
  kSync,
  kRename,
  kMakeDirectory,
  kRemove,
  kSyncDirectory,
  kLock,
};

// Decides the fate of each call. Called from any thread.
class FaultInjector {
 public:
  virtual ~FaultInjector() = default;
  // 0: go on; else the errno that the call shall fail with (EINTR is repeated, as from the system).
  // For a rename `path` is the old name. Throwing is allowed: it passes through the caller.
  virtual int Before(IoCall call, const std::string& path) = 0;

  // Most bytes that this read or write may transfer (at least 1), for short-call tests.
  virtual size_t Shorten(IoCall, size_t length) { return length; }

  // About to write data[0..length) at `offset`: a power-loss simulation records the old content.
  virtual void BeforeWrite(int /*descriptor*/, const std::string& /*path*/, uint64_t /*offset*/,
                           size_t /*length*/) {}

  // A file is durable now.
  virtual void AfterSync(const std::string& /*path*/) {}
};

// Installs `injector` (not owned; nullptr removes it). For tests.
void SetFaultInjector(FaultInjector* injector);
FaultInjector* GetFaultInjector();

}  // namespace lbrx
