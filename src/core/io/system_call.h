// How this room calls the system. Inner header of core/io.
#pragma once

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/io/fault.h"

namespace lbrx {

// Asks the fault injector, then runs `system_call` (which returns a negative value and sets errno
// on failure); again after EINTR.
template <typename Function>
auto CallSystem(IoCall call, const std::string& path, Function&& system_call)
    -> decltype(system_call()) {
  for (;;) {
    FaultInjector* injector = GetFaultInjector();
    const int fault = injector == nullptr ? 0 : injector->Before(call, path);
    decltype(system_call()) result = -1;
    if (fault != 0) {
      errno = fault;
    } else {
      result = system_call();
    }
    if (result >= 0 || errno != EINTR) {
      return result;
    }
  }
}

// ThrowErrno for the failed call that left errno; "no space" gets the free space of the place.
[[noreturn]] void ThrowSystemError(int error_number, const std::string& path,
                                   const std::string& what);

// Writes a small file that is whole or absent whatever happens, in a folder that can be made
// durable.
void WriteRecord(const std::string& path, std::string_view text, bool sync);
[[noreturn]] void ThrowExists(const std::string& path);

// Inode of the entry itself (not of what a link leads to), or nullopt where there is none.
std::optional<uint64_t> InodeOf(const std::string& path);
// Like PathExists, but looks at a symbolic link itself.
bool EntryExists(const std::string& path);
// Removes one file or link. What is not there is no error.
void RemoveFile(const std::string& path);
// The same for a folder; false where it is not empty.
bool RemoveEmptyDirectory(const std::string& path);

}  // namespace lbrx
