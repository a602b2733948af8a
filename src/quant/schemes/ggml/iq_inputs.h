// For tests: the rows, importance weights and random blocks of tests/data/make_ggml_iq.py.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor/ggml_types.h"
#include "quant/codec.h"
#include "quant/test_runs.h"

namespace lbrx::testing {

inline constexpr size_t kIqRows = 3;
inline constexpr size_t kIqColumns = 1024;
inline constexpr size_t kIqRandomBlocks = 8;

class IqRandom {
 public:
  explicit IqRandom(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15U + 1) {}

  uint32_t Bits() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<uint32_t>(state_ >> 32);
  }

  // About normal, an integer within 2^22.
  int64_t Normal() {
    int64_t sum = -(int64_t{1} << 22);
    for (int i = 0; i < 4; ++i) {
      sum += Bits() >> 11;
    }
    return sum;
  }

 private:
  uint64_t state_;
};

struct IqInput {
  const char* name;
  double (*value)(size_t, IqRandom&);
};

inline const std::vector<IqInput>& IqInputs() {
  static const std::vector<IqInput> inputs = {
      {"normal", [](size_t, IqRandom& r) { return std::ldexp(r.Normal(), -25); }},
      {"zeros", [](size_t, IqRandom&) { return 0.0; }},
      {"outlier",
       [](size_t i, IqRandom& r) { return i % 256 == 77 ? 3.0 : std::ldexp(r.Normal(), -31); }},
      {"equal", [](size_t i, IqRandom&) { return i / kIqColumns % 2 == 0 ? 0.375 : -0.375; }},
      {"denormal", [](size_t, IqRandom& r) { return std::ldexp(r.Normal(), -149); }},
      {"tiny", [](size_t, IqRandom& r) { return std::ldexp(r.Normal(), -121); }},
      {"huge", [](size_t, IqRandom& r) { return std::ldexp(r.Normal(), -6); }},
      {"alternating",
       [](size_t i, IqRandom& r) {
         return std::ldexp(std::abs(r.Normal()), -25) * (i % 2 == 0 ? 1 : -1);
       }},
      {"ties", [](size_t, IqRandom& r) { return (r.Bits() % 61 - 30.0) / 4; }},
      {"ternary", [](size_t, IqRandom& r) { return (r.Bits() % 3 - 1.0) / 2; }},
      {"zero blocks",
       [](size_t i, IqRandom& r) {
         const bool kept = i / 256 % 2 == 0 && i / 32 % 4 != 2 && i / 16 % 8 != 1;
         return kept ? std::ldexp(r.Normal(), -25) : 0.0;
       }},
      {"mixed",
       [](size_t i, IqRandom& r) {
         return std::ldexp(r.Normal(), -20 - static_cast<int>(i / 32 * 7 % 20));
       }},
  };
  return inputs;
}

inline std::vector<float> IqRow(size_t input) {
  IqRandom random(input + 1);
  std::vector<float> out;
  for (size_t i = 0; i < kIqRows * kIqColumns; ++i) {
    out.push_back(static_cast<float>(IqInputs()[input].value(i, random)));
  }
  return out;
}

inline std::vector<float> IqImportance() {
  IqRandom random(99);
  std::vector<float> out;
  for (size_t c = 0; c < kIqColumns; ++c) {
    const float value = static_cast<float>(random.Bits() % 1000 + 1) / 256;
    out.push_back(c % 37 == 0 || c / 32 % 11 == 5 ? 0.0F : value);
  }
  return out;
}

// Any bytes with finite scales.
inline std::vector<std::byte> IqRandomBlocks(const GgmlType& type) {
  IqRandom random(200 + type.id);
  std::vector<std::byte> out;
  for (size_t i = 0; i < kIqRandomBlocks * type.bytes; ++i) {
    out.push_back(static_cast<std::byte>(random.Bits() >> 24));
  }
  for (size_t i = 0; i < kIqRandomBlocks; ++i) {
    out[i * type.bytes + (type.name == "IQ1_M" ? 55 : 1)] &= std::byte{0xBF};
  }
  return out;
}

// The blocks of rows that are kIqColumns long, written into a buffer with a guard.
inline std::vector<std::byte> EncodeIqRows(const GgmlType& type, const std::vector<float>& values,
                                           const float* importance, bool reference) {
  std::vector<std::byte> out(values.size() / type.block * type.bytes + kGuard, kGuardByte);
  std::byte* planes[] = {out.data()};
  EncodeJob job{
      type.encoding, {}, reinterpret_cast<const std::byte*>(values.data()), values.size(), planes};
  job.importance = importance;
  job.columns = kIqColumns;
  const Codec* codec = FindCodec(type.encoding.scheme);
  (reference ? codec->encode_reference : codec->encode)(job);
  EXPECT_EQ(std::count(out.end() - kGuard, out.end(), kGuardByte), std::ptrdiff_t{kGuard});
  out.resize(out.size() - kGuard);
  return out;
}

}  // namespace lbrx::testing
