// The search for better affine codes.

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "core/base/cpu.h"
#include "core/tensor/convert.h"
#include "quant/codec.h"

namespace lbrx {
namespace {

// Standard normal by the sum of twelve uniforms, times 0.02, rounded to `dtype`.
std::vector<std::byte> NormalWeights(size_t count, DType dtype = DType::kBF16) {
  std::vector<float> values(count);
  uint64_t state = 7;
  for (float& value : values) {
    double sum = -6;
    for (int i = 0; i < 12; ++i) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      sum += static_cast<double>(state >> 32) * 0x1p-32;
    }
    value = static_cast<float>(0.02 * sum);
  }
  std::vector<std::byte> out(count * Info(dtype).bits / 8);
  Convert(DType::kF32, reinterpret_cast<const std::byte*>(values.data()), dtype, out.data(), count);
  return out;
}

struct Encoded {
  std::vector<std::byte> weight, scales, biases;
  bool operator==(const Encoded&) const = default;
};

Encoded Encode(const Encoding& encoding, const std::vector<std::byte>& values,
               EncodeOptions options, bool reference = false) {
  const size_t width = Info(encoding.dtype).bits / 8;
  const uint64_t elements = values.size() / width;
  Encoded out{std::vector<std::byte>(elements * encoding.bits / 8),
              std::vector<std::byte>(elements / encoding.group * width),
              std::vector<std::byte>(elements / encoding.group * width)};
  std::byte* const planes[] = {out.weight.data(), out.scales.data(), out.biases.data()};
  const EncodeJob job{.encoding = encoding,
                      .options = options,
                      .values = values.data(),
                      .elements = elements,
                      .planes = planes};
  const Codec& codec = *FindCodec(Scheme::kAffine);
  (reference ? codec.encode_reference : codec.encode)(job);
  return out;
}

constexpr EncodeOptions kPlainly{.rule = MlxRule::kMetal, .search = false};
constexpr EncodeOptions kSearching{.rule = MlxRule::kMetal, .search = true};

// Mean squared error of scale * q + bias in float64, as a matrix product on a GPU sees it.
double Error(const Encoding& encoding, const std::vector<std::byte>& values, const Encoded& data) {
  const size_t elements = values.size() / 2;
  double sum = 0;
  const auto bf16 = [](const std::vector<std::byte>& bytes, size_t i) {
    uint16_t bits = 0;
    std::memcpy(&bits, bytes.data() + 2 * i, 2);
    return static_cast<double>(BF16ToFloat(bits));
  };
  for (size_t i = 0; i < elements; ++i) {
    const size_t bit = i * encoding.bits;
    uint32_t word = 0;
    std::memcpy(&word, data.weight.data() + bit / 8, bit / 8 + 1 < data.weight.size() ? 2 : 1);
    const uint32_t q = (word >> (bit % 8)) & ((1U << encoding.bits) - 1);
    const size_t g = i / encoding.group;
    const double off = bf16(data.scales, g) * q + bf16(data.biases, g) - bf16(values, i);
    sum += off * off;
  }
  return sum / static_cast<double>(elements);
}

// At least 90% of the reductions of a shrink search with least-squares refit on N(0, 0.02) bf16
// weights in groups of 64.
TEST(AffineSearch, LowersTheErrorOfNormalWeights) {
  const std::vector<std::byte> values = NormalWeights(64 * 4000);
  const std::vector<std::pair<uint8_t, double>> wanted = {{2, 0.338}, {3, 0.239}, {4, 0.184},
                                                          {5, 0.163}, {6, 0.165}, {8, 0.430}};
  for (const auto& [bits, reduction] : wanted) {
    const Encoding encoding = Affine(bits, 64, DType::kBF16);
    const double plain = Error(encoding, values, Encode(encoding, values, kPlainly));
    const double searched = Error(encoding, values, Encode(encoding, values, kSearching));
    EXPECT_GE(1 - searched / plain, 0.9 * reduction) << int{bits} << " bits";
  }
}

// Other groups have no figures to compare with, but gain alike: smaller ones more.
TEST(AffineSearch, LowersTheErrorInEveryGroup) {
  const std::vector<std::byte> values = NormalWeights(128 * 500);
  for (const uint8_t bits : {1, 2, 3, 4, 5, 6, 8}) {
    for (const uint16_t group : {32, 64, 128}) {
      const Encoding encoding = Affine(bits, group, DType::kBF16);
      const double plain = Error(encoding, values, Encode(encoding, values, kPlainly));
      const double searched = Error(encoding, values, Encode(encoding, values, kSearching));
      EXPECT_GE(1 - searched / plain, 0.12) << int{bits} << "/" << group;
    }
  }
}

void ExpectSameOnEveryTarget(const Encoding& encoding, const std::vector<std::byte>& values) {
  for (const MlxRule rule : {MlxRule::kMetal, MlxRule::kCpu}) {
    const EncodeOptions options{.rule = rule, .search = true};
    const Encoded expected = Encode(encoding, values, options, /*reference=*/true);
    for (const int64_t target : SupportedSimdTargets()) {
      ForceSimdTarget(target);
      EXPECT_TRUE(Encode(encoding, values, options) == expected)
          << SimdTargetName(target) << " " << SchemeLabel(encoding) << " " << Name(encoding.dtype);
    }
    ForceSimdTarget(0);
  }
}

TEST(AffineSearch, SameBytesOnEveryTarget) {
  for (const DType dtype : {DType::kBF16, DType::kF16, DType::kF32}) {
    std::vector<std::byte> values = NormalWeights(128 * 75, dtype);
    std::memset(values.data(), 0, 512);            // zero groups
    std::memset(values.data() + 512, 0x3C, 256);   // constant ones
    std::memset(values.data() + 1024, 0x01, 256);  // subnormals
    std::memset(values.data() + 2048, 0x7F, 1);    // and an odd one
    for (const uint8_t bits : {1, 2, 3, 4, 5, 6, 8}) {
      for (const uint16_t group : {32, 64, 128}) {
        ExpectSameOnEveryTarget(Affine(bits, group, dtype), values);
      }
    }
  }
}

// Ranges beyond f32, and next to its smallest numbers.
TEST(AffineSearch, SameBytesForExtremeValues) {
  std::vector<float> floats(64 * 8);
  for (size_t i = 0; i < floats.size(); ++i) {
    const float unit = i % 2 == 0 ? -1.0F : 0.75F / static_cast<float>(1 + i % 7);
    const float scales[] = {3e38F, 1e-37F, 1e-20F, 1e20F};
    floats[i] = unit * scales[i / 64 % 4];
  }
  std::vector<std::byte> values(floats.size() * sizeof(float));
  std::memcpy(values.data(), floats.data(), values.size());
  for (const uint8_t bits : {1, 2, 4, 8}) {
    ExpectSameOnEveryTarget(Affine(bits, 64, DType::kF32), values);
  }
}

TEST(AffineSearch, ZeroAndConstantGroupsStayExact) {
  std::vector<std::byte> values(64 * 2 * 2);
  const uint16_t constant = FloatToBF16(0.037F);
  for (size_t i = 64; i < 128; ++i) {
    std::memcpy(values.data() + 2 * i, &constant, 2);
  }
  const Encoding encoding = Affine(4, 64, DType::kBF16);
  EXPECT_EQ(Error(encoding, values, Encode(encoding, values, kSearching)), 0);
}

}  // namespace
}  // namespace lbrx
