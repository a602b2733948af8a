// Open files by number: opened when needed, the least recently used one closed when many are open.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/io/file.h"

namespace lbrx {

// Thread-safe.
class FileCache {
 public:
  using Opener = std::function<std::shared_ptr<File>(uint64_t key)>;

  // `max_open` 0: a share of the process's limit on open files.
  explicit FileCache(Opener open, size_t max_open = 0);

  // Waits while as many files are in use as may be open, so nobody may hold one and ask for
  // another.
  std::shared_ptr<File> Get(uint64_t key);

 private:
  struct State;

  Opener opener_;
  std::shared_ptr<State> state_;  // outlives the cache where a file does
};

}  // namespace lbrx
