#include "core/memory/pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <new>
#include <utility>

#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {

namespace {

constexpr size_t kSmallestClass = 4096;
constexpr size_t kLargestSize = size_t{1} << 58;  // keeps the class arithmetic free of overflow

// From here on buffers come from the system directly and go back to it: malloc would keep them
// (its threshold for that grows up to 32 MiB by itself), and resident memory would not shrink.
constexpr size_t kMapFrom = size_t{256} << 10;

// Classes alternate: 4 KiB, 6 KiB, 8 KiB, 12 KiB, 16 KiB...
size_t ClassIndex(size_t capacity) {
  const size_t power = std::bit_width(capacity / kSmallestClass) - 1;
  return 2 * power + (std::has_single_bit(capacity) ? 0 : 1);
}

size_t ClassCapacity(size_t index) {
  const size_t power = kSmallestClass << (index / 2);
  return index % 2 == 0 ? power : power + power / 2;
}

std::byte* AllocateBytes(size_t capacity) {
  if (capacity < kMapFrom) {
    return static_cast<std::byte*>(std::aligned_alloc(Pool::kAlignment, capacity));
  }
  void* address =
      ::mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return address == MAP_FAILED ? nullptr : static_cast<std::byte*>(address);
}

void FreeBytes(std::byte* data, size_t capacity) {
  if (capacity < kMapFrom) {
    std::free(data);
  } else {
    ::munmap(data, capacity);
  }
}

[[noreturn]] void ThrowNoMemory(size_t size) {
  ErrorDetail detail;
  detail.what = Format("the system has no memory for a buffer of {}", FormatBytes(size));
  detail.advice = "use fewer --threads or less --memory";
  throw Error(ErrorCode::kLimit, std::move(detail));
}

}  // namespace

Pool::~Pool() {
  ReleaseFree(0);
}

Pool::Buffer::Buffer(Buffer&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

Pool::Buffer& Pool::Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    if (pool_ != nullptr) {
      pool_->Put(data_, capacity_);
    }
    pool_ = std::exchange(other.pool_, nullptr);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
  }
  return *this;
}

Pool::Buffer::~Buffer() {
  if (pool_ != nullptr) {
    pool_->Put(data_, capacity_);
  }
}

size_t Pool::ClassSize(size_t size) {
  if (size > kLargestSize) {
    ThrowNoMemory(size);
  }
  const size_t needed = std::max(size + kTail, kSmallestClass);
  const size_t power = std::bit_floor(needed);
  if (power == needed) {
    return power;
  }
  return needed <= power + power / 2 ? power + power / 2 : 2 * power;
}

// A kept buffer of that class, or nullptr.
std::byte* Pool::TakeFree(size_t capacity) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::byte*>& kept = free_[ClassIndex(capacity)];
  if (kept.empty()) {
    return nullptr;
  }
  std::byte* data = kept.back();
  kept.pop_back();
  counters_.bytes_free -= capacity;
  ++counters_.reuses;
  return data;
}

Pool::Buffer Pool::Get(size_t size) {
  const size_t capacity = ClassSize(size);
  std::byte* data = TakeFree(capacity);
  if (data == nullptr) {
    ReleaseFree(keep_ > capacity ? keep_ - capacity : 0);
    data = AllocateBytes(capacity);
  }
  if (data == nullptr) {
    ReleaseFree(0);
    data = AllocateBytes(capacity);
  }
  if (data == nullptr) {
    ThrowNoMemory(size);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  ++counters_.gets;
  counters_.bytes_in_use += capacity;
  counters_.peak_bytes_in_use = std::max(counters_.peak_bytes_in_use, counters_.bytes_in_use);
  return {this, data, size, capacity};
}

void Pool::Put(std::byte* data, size_t capacity) noexcept {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    counters_.bytes_in_use -= capacity;
    if (counters_.bytes_in_use + counters_.bytes_free + capacity <= keep_) {
      try {
        free_[ClassIndex(capacity)].push_back(data);
        counters_.bytes_free += capacity;
        return;
      } catch (const std::bad_alloc&) {  // then it is given back
      }
    }
  }
  FreeBytes(data, capacity);
}

// Gives back free buffers, the largest first, until at most that many bytes are held or none is
// free.
void Pool::ReleaseFree(uint64_t most_held) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (size_t index = free_.size(); index-- > 0;) {
    while (!free_[index].empty() && counters_.bytes_in_use + counters_.bytes_free > most_held) {
      FreeBytes(free_[index].back(), ClassCapacity(index));
      free_[index].pop_back();
      counters_.bytes_free -= ClassCapacity(index);
    }
  }
}

Pool::Counters Pool::counters() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return counters_;
}

}  // namespace lbrx
