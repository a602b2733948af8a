#include "stream/file_cache.h"

#include <sys/resource.h>

#include <algorithm>

namespace lbrx {
namespace {

// Two caches (sources, outputs) share what the journal, the lock and the standard streams leave.
size_t DefaultMaxOpen() {
  constexpr size_t kReserved = 8;
  constexpr size_t kMost = 256;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return kMost;
  }
  const auto allowed = static_cast<size_t>(limit.rlim_cur);
  return std::clamp<size_t>(allowed > kReserved ? (allowed - kReserved) / 2 : 1, 1, kMost);
}

}  // namespace

FileCache::FileCache(Opener open, size_t max_open)
    : opener_(std::move(open)), max_open_(max_open == 0 ? DefaultMaxOpen() : max_open) {}

std::shared_ptr<File> FileCache::Get(uint64_t key) {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(key);
  if (found != open_.end()) {
    recent_.splice(recent_.begin(), recent_, found->second);
    return found->second->second;
  }
  if (recent_.size() >= max_open_) {
    open_.erase(recent_.back().first);
    recent_.pop_back();
  }
  recent_.emplace_front(key, opener_(key));
  open_[key] = recent_.begin();
  return recent_.front().second;
}

}  // namespace lbrx
