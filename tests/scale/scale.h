// Inputs of a million entries: what reading them costs.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "hostile/allocations.h"
#include "hostile/peak_memory.h"

namespace lbrx {

// One kind of input. Tests print rows by name.
struct ScaleRow {
  const char* name;
  uint64_t entries;
  // Bytes at once that reading may take for each byte of the input, beyond kScaleSlack.
  uint64_t multiple;

  // Makes an input of so many entries, and returns what reads it and says how many it found, and
  // how many bytes it has. Only the reading is measured.
  struct Input {
    uint64_t bytes;
    std::function<uint64_t()> read;
  };

  std::function<Input(uint64_t entries)> make;
};

inline std::ostream& operator<<(std::ostream& out, const ScaleRow& row) {
  return out << row.name;
}

inline constexpr uint64_t kMillion = 1'000'000;

// AddressSanitizer's time is for a tenth of the entries.
#ifdef LBRX_PADDED_MEMORY
inline constexpr uint64_t kSanitizedPart = 10;
#else
inline constexpr uint64_t kSanitizedPart = 1;
#endif

// Windows and buffers of fixed size.
inline constexpr uint64_t kScaleSlack = uint64_t{16} << 20;

struct ScaleCost {
  uint64_t input = 0;
  uint64_t found = 0;
  uint64_t peak = 0;   // bytes at once
  uint64_t bytes = 0;  // taken altogether
  uint64_t calls = 0;
};

inline ScaleCost MeasureScale(const ScaleRow& row, uint64_t entries) {
  const ScaleRow::Input input = row.make(entries);
  ResetPeak();
  const Allocations before = CountedAllocations();
  const auto start = std::chrono::steady_clock::now();
  const uint64_t found = input.read();
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  const Allocations after = CountedAllocations();
  const ScaleCost cost = {.input = input.bytes,
                          .found = found,
                          .peak = after.peak - before.live,
                          .bytes = after.bytes - before.bytes,
                          .calls = after.calls - before.calls};
  std::printf("%-24s %8llu entries %6.1f MB %6.2f s, peak %5.2f x, taken %5.2f x\n", row.name,
              static_cast<unsigned long long>(entries), static_cast<double>(cost.input) / 1e6,
              spent.count(), static_cast<double>(cost.peak) / static_cast<double>(cost.input),
              static_cast<double>(cost.bytes) / static_cast<double>(cost.input));
  return cost;
}

// Twice the entries cost twice as much, but for buffers that double and what names gain in length;
// what is worse than n log n in memory or calls is not. What is quadratic in time alone does not
// come to its end at a million entries.
inline void ExpectLinear(const ScaleRow& row) {
  const uint64_t entries = row.entries / kSanitizedPart;
  const ScaleCost half = MeasureScale(row, entries / 2);
  const ScaleCost whole = MeasureScale(row, entries);
  EXPECT_EQ(half.found, entries / 2);
  EXPECT_EQ(whole.found, entries);
  EXPECT_LE(whole.peak, kMemoryFactor * row.multiple * whole.input + kScaleSlack);
  EXPECT_LE(whole.bytes, half.bytes * 5 / 2 + kScaleSlack);
  EXPECT_LE(whole.calls, half.calls * 5 / 2 + 1000);
}

// A number for names, which are all of one length.
inline std::string Serial(uint64_t i) {
  return std::to_string(10'000'000 + i);
}

// An input that is a text in memory.
template <typename Read>
ScaleRow::Input TextInput(std::string text, Read read) {
  const auto kept = std::make_shared<const std::string>(std::move(text));
  return {kept->size(), [kept, read]() -> uint64_t { return read(*kept); }};
}

// entry(0), entry(1)... with `between` between them.
template <typename Entry>
std::string JoinEntries(uint64_t count, const char* between, Entry entry) {
  std::string out;
  for (uint64_t i = 0; i < count; ++i) {
    if (i > 0) {
      out += between;
    }
    out += entry(i);
  }
  return out;
}

}  // namespace lbrx
