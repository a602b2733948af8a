#include "stream/file_cache.h"

#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <list>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace lbrx {
namespace {

// Two caches (sources, outputs) share what the journal, the lock, the standard streams, a file that
// is copied and a few that somebody else has open leave.
size_t DefaultMaxOpen() {
  constexpr size_t kReserved = 10;
  constexpr size_t kMost = 256;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return kMost;
  }
  const auto allowed = static_cast<size_t>(limit.rlim_cur);
  return std::clamp<size_t>(allowed > kReserved ? (allowed - kReserved) / 2 : 1, 1, kMost);
}

}  // namespace

// What is open, most recent first.
struct FileCache::State {
  struct Slot {
    uint64_t key;
    std::shared_ptr<File> file;
    size_t users = 0;
  };

  using Slots = std::list<Slot>;

  explicit State(size_t most) : max_open(most) {}

  const size_t max_open;
  std::mutex mutex;
  std::condition_variable released;
  Slots slots;
  std::unordered_map<uint64_t, Slots::iterator> by_key;

  // Closes the file that nobody has used for longest; false where all are in use.
  bool CloseOne() {
    const auto idle = std::find_if(slots.rbegin(), slots.rend(),
                                   [](const Slot& slot) { return slot.users == 0; });
    if (idle == slots.rend()) {
      return false;
    }
    by_key.erase(idle->key);
    slots.erase(std::next(idle).base());
    return true;
  }

  Slot& Find(uint64_t key, const Opener& open, std::unique_lock<std::mutex>& lock) {
    for (;;) {
      const auto found = by_key.find(key);
      if (found != by_key.end()) {
        slots.splice(slots.begin(), slots, found->second);
        return slots.front();
      }
      if (slots.size() < max_open || CloseOne()) {
        break;
      }
      released.wait(lock);
    }
    const auto slot = slots.insert(slots.begin(), {key, open(key)});
    try {
      by_key[key] = slot;
    } catch (const std::exception&) {
      slots.erase(slot);
      throw;
    }
    return *slot;
  }
};

FileCache::FileCache(Opener open, size_t max_open)
    : opener_(std::move(open)),
      state_(std::make_shared<State>(max_open == 0 ? DefaultMaxOpen() : max_open)) {}

std::shared_ptr<File> FileCache::Get(uint64_t key) {
  std::unique_lock lock(state_->mutex);
  State::Slot& slot = state_->Find(key, opener_, lock);
  ++slot.users;
  lock.unlock();  // not to be held where there is no memory for the handle, which is released then
  return {slot.file.get(), [state = state_, &slot](File*) {
            const std::lock_guard guard(state->mutex);
            --slot.users;
            state->released.notify_one();
          }};
}

}  // namespace lbrx
