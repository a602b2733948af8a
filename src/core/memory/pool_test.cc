#include "core/memory/pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace lbrx {
namespace {

TEST(PoolTest, ClassesArePowersAndOneAndAHalfTimesThem) {
  EXPECT_EQ(Pool::ClassSize(0), 4096U);
  EXPECT_EQ(Pool::ClassSize(4096 - 64), 4096U);
  EXPECT_EQ(Pool::ClassSize(4096 - 63), 6144U);  // 64 bytes of tail do not fit any more
  EXPECT_EQ(Pool::ClassSize(6144 - 64), 6144U);
  EXPECT_EQ(Pool::ClassSize(6144 - 63), 8192U);
  EXPECT_EQ(Pool::ClassSize(size_t{4} << 20), size_t{6} << 20);
  EXPECT_EQ(Pool::ClassSize((size_t{4} << 20) - 64), size_t{4} << 20);
  for (size_t size = 1; size < (size_t{1} << 40); size = size * 3 + 1) {
    const size_t capacity = Pool::ClassSize(size);
    EXPECT_GE(capacity, size + 64);
    EXPECT_LE(capacity, std::max<size_t>(4096, (size + 64) * 3 / 2));
  }
}

TEST(PoolTest, BuffersAreAlignedAndWritableToTheirTail) {
  Pool pool;
  for (const size_t size : {size_t{0}, size_t{1}, size_t{5000}, size_t{1} << 20}) {
    Pool::Buffer buffer = pool.Get(size);
    EXPECT_EQ(buffer.size(), size);
    EXPECT_EQ(buffer.span().size(), size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % 64, 0U);
    std::memset(buffer.data(), 0x5A, size + 64);
    EXPECT_EQ(buffer.data()[size + 63], std::byte{0x5A});
  }
}

TEST(PoolTest, BuffersOfAClassAreReused) {
  Pool pool;
  const std::byte* first = nullptr;
  {
    const Pool::Buffer buffer = pool.Get(5000);
    first = buffer.data();
  }
  EXPECT_EQ(pool.counters().bytes_free, 6144U);
  Pool::Buffer other = pool.Get(20000);  // another class
  EXPECT_NE(other.data(), first);
  const Pool::Buffer again = pool.Get(6000);
  EXPECT_EQ(again.data(), first);
  const Pool::Counters counters = pool.counters();
  EXPECT_EQ(counters.gets, 3U);
  EXPECT_EQ(counters.reuses, 1U);
  EXPECT_EQ(counters.bytes_in_use, Pool::ClassSize(20000) + 6144);
  EXPECT_EQ(counters.peak_bytes_in_use, counters.bytes_in_use);
  EXPECT_EQ(counters.bytes_free, 0U);
}

TEST(PoolTest, KeepsNoMoreThanTold) {
  Pool pool(10000);
  {
    const Pool::Buffer a = pool.Get(4000);
    const Pool::Buffer b = pool.Get(4000);
    const Pool::Buffer c = pool.Get(4000);
    EXPECT_EQ(pool.counters().bytes_in_use, 3U * 4096);
  }
  EXPECT_EQ(pool.counters().bytes_free, 2U * 4096);
  { const Pool::Buffer other_class = pool.Get(1000); }  // reuses one
  EXPECT_EQ(pool.counters().bytes_free, 2U * 4096);
  { const Pool::Buffer larger = pool.Get(5000); }  // 6144 bytes: both must go
  EXPECT_EQ(pool.counters().bytes_free, 6144U);
  { const Pool::Buffer large = pool.Get(1 << 20); }
  EXPECT_EQ(pool.counters().bytes_free, 0U);
  EXPECT_EQ(pool.counters().bytes_in_use, 0U);
}

TEST(PoolTest, BuffersMove) {
  Pool pool;
  Pool::Buffer a = pool.Get(100);
  const std::byte* data = a.data();
  Pool::Buffer b = std::move(a);
  EXPECT_EQ(b.data(), data);
  b = pool.Get(10000);  // the first goes back
  EXPECT_EQ(pool.counters().bytes_free, 4096U);
  b = Pool::Buffer();
  EXPECT_EQ(pool.counters().bytes_in_use, 0U);
}

TEST(PoolTest, TooMuchIsALimit) {
  Pool pool;
  for (const size_t size : {size_t{1} << 56, SIZE_MAX}) {
    try {
      pool.Get(size);
      FAIL() << "did not throw";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kLimit);
    }
  }
  EXPECT_EQ(pool.counters().bytes_in_use, 0U);
}

TEST(PoolTest, ThreadsNeverShareABuffer) {
  Pool pool;
  std::vector<std::thread> threads;
  threads.reserve(4);
  std::vector<int> mixed(4, 0);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = 0; i < 500; ++i) {
        const size_t size = 4000 + i % 3 * 3000;
        Pool::Buffer buffer = pool.Get(size);
        std::memset(buffer.data(), t, size);
        std::this_thread::yield();
        for (const std::byte byte : buffer.span()) {
          mixed[static_cast<size_t>(t)] += byte == std::byte(t) ? 0 : 1;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(mixed, std::vector<int>(4, 0));
  EXPECT_EQ(pool.counters().gets, 2000U);
  EXPECT_EQ(pool.counters().bytes_in_use, 0U);
}

}  // namespace
}  // namespace lbrx
