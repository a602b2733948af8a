// A hard ceiling on working memory: acquiring waits until enough is free, never exceeds.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>

namespace lbrx {

class CancelToken;

class Budget {
 public:
  explicit Budget(uint64_t limit) : limit_(limit) {}

  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  // A part of the budget; returned when destroyed.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept;
    Lease& operator=(Lease&& other) noexcept;
    ~Lease();

    uint64_t bytes() const { return bytes_; }

   private:
    friend class Budget;

    Lease(Budget* budget, uint64_t bytes) : budget_(budget), bytes_(bytes) {}

    Budget* budget_ = nullptr;
    uint64_t bytes_ = 0;
  };

  // Waits for `bytes`, first come first served. More than the limit: throws kLimit at once with
  // both figures. Throws kCancelled where `cancel` (may be null) fires while waiting. A thread that
  // holds a lease and waits for another may wait for ever: take what a piece of work needs at once.
  Lease Acquire(uint64_t bytes, const CancelToken* cancel = nullptr);

  uint64_t limit() const { return limit_; }

  uint64_t used() const;
  uint64_t peak() const;

 private:
  void Release(uint64_t bytes);
  const uint64_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable freed_;
  uint64_t used_ = 0;
  uint64_t peak_ = 0;
  std::list<uint64_t> waiting_;  // bytes asked for, first come first
};

}  // namespace lbrx
