// Open files by number: opened when needed, the least recently used one closed when many are open.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "core/io/file.h"

namespace lbrx {

// Thread-safe. A file that is in use stays open until its last user lets go.
class FileCache {
 public:
  using Opener = std::function<std::shared_ptr<File>(uint64_t key)>;

  // `max_open` 0: a share of the process's limit on open files.
  explicit FileCache(Opener open, size_t max_open = 0);

  std::shared_ptr<File> Get(uint64_t key);

 private:
  Opener opener_;
  size_t max_open_;
  std::mutex mutex_;
  std::list<std::pair<uint64_t, std::shared_ptr<File>>> recent_;  // most recent first
  std::unordered_map<uint64_t, decltype(recent_)::iterator> open_;
};

}  // namespace lbrx
