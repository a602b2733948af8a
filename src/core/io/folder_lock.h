// One process at a time in a partial folder. Inner header of core/io.
#pragma once

#include <memory>
#include <string>

#include "core/io/file.h"

namespace lbrx {

// Takes the lock file folder/lock, making it (and, with `create`, the folder) where missing.
// Returns nullptr where the folder is missing and !create. Throws kIo naming the holder where
// another process has it. Locks of dead processes are free: the system drops them. The lock lasts
// until the file is closed.
std::shared_ptr<File> LockFolder(const std::string& folder, bool create);

}  // namespace lbrx
