// Reused, aligned byte buffers in size classes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

namespace lbrx {

// Thread-safe. A buffer goes back to its class when destroyed, so a pipeline touches the same few
// pages again and again. Size classes are powers of two and 1.5 times them, from 4 KiB.
class Pool {
 public:
  static constexpr size_t kAlignment = 64;
  static constexpr size_t kTail = 64;

  // `keep`: free buffers are given back to the system where more bytes than this are held in all,
  // in use and free together. So the pool never holds more than the larger of `keep` and what is
  // in use.
  explicit Pool(uint64_t keep = uint64_t{256} << 20) : keep_(keep) {}

  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  class Buffer {
   public:
    Buffer() = default;
    Buffer(Buffer&& other) noexcept;
    Buffer& operator=(Buffer&& other) noexcept;
    ~Buffer();

    std::byte* data() { return data_; }

    const std::byte* data() const { return data_; }

    size_t size() const { return size_; }

    std::span<std::byte> span() { return {data_, size_}; }

   private:
    friend class Pool;

    Buffer(Pool* pool, std::byte* data, size_t size, size_t capacity)
        : pool_(pool), data_(data), size_(size), capacity_(capacity) {}

    Pool* pool_ = nullptr;
    std::byte* data_ = nullptr;
    size_t size_ = 0;      // as asked for
    size_t capacity_ = 0;  // of its class
  };

  // At least kTail bytes after `size` may be read and written, too (SIMD tails). Content is
  // undefined. Throws kLimit where the system has no memory. The pool must outlive its buffers.
  Buffer Get(size_t size);

  struct Counters {
    uint64_t gets = 0;
    uint64_t reuses = 0;
    uint64_t bytes_in_use = 0;
    uint64_t bytes_free = 0;
    uint64_t peak_bytes_in_use = 0;
  };

  Counters counters() const;

  // Bytes that a buffer of `size` really takes.
  static size_t ClassSize(size_t size);

 private:
  std::byte* TakeFree(size_t capacity);
  void ReleaseFree(uint64_t most_held);
  void Put(std::byte* data, size_t capacity) noexcept;
  const uint64_t keep_;
  mutable std::mutex mutex_;
  std::array<std::vector<std::byte*>, 96> free_;
  Counters counters_;
};

}  // namespace lbrx
