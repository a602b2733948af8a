// Conversions against an oracle that knows only ldexp and nearbyint on doubles.
#include "core/tensor/convert.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

#include "core/base/cpu.h"
#include "core/base/error.h"

namespace lbrx {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

// A binary format with an implied leading one.
struct Format {
  DType dtype;
  int mantissa;
  int exponent_bits;
  double largest;
  bool saturates;  // no infinity

  int bias() const { return (1 << (exponent_bits - 1)) - 1; }

  uint32_t sign_bit() const { return 1U << (mantissa + exponent_bits); }
};

constexpr Format kF16 = {DType::kF16, 10, 5, 65504.0, false};
constexpr Format kBF16 = {DType::kBF16, 7, 8, 0x1.FEp127, false};
constexpr Format kE4M3 = {DType::kF8E4M3, 3, 4, 448.0, true};
constexpr Format kE5M2 = {DType::kF8E5M2, 2, 5, 57344.0, false};

// The value of a pattern, by the definition. NaN for NaN.
double Decode(const Format& f, uint32_t bits) {
  const uint32_t magnitude = bits & (f.sign_bit() - 1);
  const auto exponent = static_cast<int>(magnitude >> f.mantissa);
  const uint32_t fraction = magnitude & ((1U << f.mantissa) - 1);
  const double sign = (bits & f.sign_bit()) != 0 ? -1 : 1;
  const int top = (1 << f.exponent_bits) - 1;
  if (f.saturates ? magnitude == f.sign_bit() - 1 : exponent == top && fraction != 0) {
    return std::nan("");
  }
  if (!f.saturates && exponent == top) {
    return sign * kInf;
  }
  if (exponent == 0) {
    return sign * std::ldexp(fraction, 1 - f.bias() - f.mantissa);
  }
  return sign * std::ldexp(fraction + (1U << f.mantissa), exponent - f.bias() - f.mantissa);
}

// `value` rounded to the format, nearest even.
double Round(const Format& f, double value) {
  if (std::isnan(value) || value == 0) {
    return value;
  }
  if (std::isinf(value)) {
    return f.saturates ? std::copysign(f.largest, value) : value;
  }
  const int exponent = std::max(std::ilogb(value), 1 - f.bias());
  const int step = exponent - f.mantissa;
  const double rounded = std::ldexp(std::nearbyint(std::ldexp(value, -step)), step);
  if (std::fabs(rounded) <= f.largest) {
    return rounded;
  }
  return std::copysign(f.saturates ? f.largest : kInf, value);
}

template <typename To, typename From>
std::vector<To> Converted(DType from, const std::vector<From>& in, DType to) {
  std::vector<To> out(in.size());
  Convert(from, reinterpret_cast<const std::byte*>(in.data()), to,
          reinterpret_cast<std::byte*>(out.data()), in.size());
  return out;
}

// Patterns of f32 where rounding to a smaller format may go wrong: each upper half, with the lower
// one at and around every format's ties.
std::vector<float> Floats() {
  std::vector<float> out;
  for (uint32_t upper = 0; upper < 0x10000; ++upper) {
    for (const uint32_t lower : {0x0000U, 0x0001U, 0x0FFFU, 0x1000U, 0x1001U, 0x1FFFU, 0x2000U,
                                 0x3000U, 0x7FFFU, 0x8000U, 0x8001U, 0xF000U, 0xFFFFU}) {
      const uint32_t bits = upper << 16 | lower;
      float value = 0;
      std::memcpy(&value, &bits, sizeof(value));
      out.push_back(value);
    }
  }
  return out;
}

bool SameValue(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

class ConvertTest : public ::testing::Test {
 protected:
  void TearDown() override { ForceSimdTarget(0); }

  static std::vector<int64_t> Targets() {
    std::vector<int64_t> targets = SupportedSimdTargets();
    targets.push_back(kForceScalar);
    return targets;
  }

  template <typename Bits>
  void ExpectAllPatternsDecode(const Format& f) {
    std::vector<Bits> patterns;
    for (uint32_t bits = 0; bits < 2 * f.sign_bit(); ++bits) {
      patterns.push_back(static_cast<Bits>(bits));
    }
    for (const int64_t target : Targets()) {
      ForceSimdTarget(target);
      const auto floats = Converted<float>(f.dtype, patterns, DType::kF32);
      const auto doubles = Converted<double>(f.dtype, patterns, DType::kF64);
      size_t wrong = 0;
      for (size_t i = 0; i < patterns.size(); ++i) {
        const double expected = Decode(f, patterns[i]);
        wrong += SameValue(floats[i], expected) && SameValue(doubles[i], expected) ? 0 : 1;
      }
      EXPECT_EQ(wrong, 0U) << Name(f.dtype) << " on " << SimdTargetName(target);
    }
  }

  template <typename Bits, typename From>
  void ExpectRounds(const Format& f, DType from, const std::vector<From>& values) {
    for (const int64_t target : Targets()) {
      ForceSimdTarget(target);
      const auto patterns = Converted<Bits>(from, values, f.dtype);
      size_t wrong = 0;
      for (size_t i = 0; i < values.size(); ++i) {
        const double expected = Round(f, static_cast<double>(values[i]));
        wrong += SameValue(Decode(f, patterns[i]), expected) ? 0 : 1;
      }
      EXPECT_EQ(wrong, 0U) << Name(from) << " to " << Name(f.dtype) << " on "
                           << SimdTargetName(target);
    }
  }
};

TEST_F(ConvertTest, EveryPatternOfSmallFormats) {
  ExpectAllPatternsDecode<uint16_t>(kF16);
  ExpectAllPatternsDecode<uint16_t>(kBF16);
  ExpectAllPatternsDecode<uint8_t>(kE4M3);
  ExpectAllPatternsDecode<uint8_t>(kE5M2);
}

TEST_F(ConvertTest, FloatsRoundToNearestEven) {
  const std::vector<float> floats = Floats();
  ExpectRounds<uint16_t>(kF16, DType::kF32, floats);
  ExpectRounds<uint16_t>(kBF16, DType::kF32, floats);
  ExpectRounds<uint8_t>(kE4M3, DType::kF32, floats);
  ExpectRounds<uint8_t>(kE5M2, DType::kF32, floats);
}

TEST_F(ConvertTest, DoublesRoundOnce) {
  std::vector<double> doubles;
  for (const float value : Floats()) {  // a hair beside what is a tie in f32
    doubles.push_back(value);
    doubles.push_back(value * (1 + 0x1p-50));
    doubles.push_back(value * (1 - 0x1p-50));
  }
  for (const double value : {1e-300, -1e-300, 1e300, -1e300, 3.4e38, 3.5e38, 0x1p-150, 0x1p-149}) {
    doubles.push_back(value);
  }
  ExpectRounds<uint16_t>(kF16, DType::kF64, doubles);
  ExpectRounds<uint16_t>(kBF16, DType::kF64, doubles);
  ExpectRounds<uint8_t>(kE4M3, DType::kF64, doubles);
  const auto floats = Converted<float>(DType::kF64, doubles, DType::kF32);
  for (size_t i = 0; i < doubles.size(); ++i) {
    ASSERT_TRUE(SameValue(floats[i], static_cast<float>(doubles[i]))) << doubles[i];
  }
}

TEST_F(ConvertTest, FloatsWidenExactly) {
  const std::vector<float> floats = Floats();
  const auto doubles = Converted<double>(DType::kF32, floats, DType::kF64);
  for (size_t i = 0; i < floats.size(); ++i) {
    ASSERT_TRUE(SameValue(doubles[i], floats[i])) << floats[i];
  }
}

TEST_F(ConvertTest, HalvesAmongEachOther) {
  std::vector<uint16_t> patterns;
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    patterns.push_back(static_cast<uint16_t>(bits));
  }
  for (const int64_t target : Targets()) {
    ForceSimdTarget(target);
    const auto to_f16 = Converted<uint16_t>(DType::kBF16, patterns, DType::kF16);
    const auto to_bf16 = Converted<uint16_t>(DType::kF16, patterns, DType::kBF16);
    for (size_t i = 0; i < patterns.size(); ++i) {
      ASSERT_TRUE(SameValue(Decode(kF16, to_f16[i]), Round(kF16, Decode(kBF16, patterns[i])))) << i;
      ASSERT_TRUE(SameValue(Decode(kBF16, to_bf16[i]), Round(kBF16, Decode(kF16, patterns[i]))))
          << i;
    }
  }
}

TEST_F(ConvertTest, VectorsEqualScalarsInEveryBit) {  // NaN payloads, too
  const std::vector<float> floats = Floats();
  std::vector<uint16_t> bf16;
  std::vector<uint16_t> f16;
  for (const float value : floats) {
    bf16.push_back(FloatToBF16(value));
    f16.push_back(FloatToF16(value));
  }
  for (const int64_t target : Targets()) {
    ForceSimdTarget(target);
    EXPECT_EQ(Converted<uint16_t>(DType::kF32, floats, DType::kBF16), bf16);
    EXPECT_EQ(Converted<uint16_t>(DType::kF32, floats, DType::kF16), f16);
    const auto widened = Converted<float>(DType::kF16, f16, DType::kF32);
    for (size_t i = 0; i < f16.size(); ++i) {
      ASSERT_EQ(std::bit_cast<uint32_t>(widened[i]), std::bit_cast<uint32_t>(F16ToFloat(f16[i])))
          << f16[i];
    }
  }
}

TEST_F(ConvertTest, AnyLengthAndAlignment) {
  std::vector<float> floats(70);
  std::iota(floats.begin(), floats.end(), 0.3F);
  const auto expected = Converted<uint16_t>(DType::kF32, floats, DType::kBF16);
  for (size_t count = 0; count < 40; ++count) {
    std::vector<std::byte> in(count * 4 + 1);
    std::vector<std::byte> out(count * 2 + 3, std::byte{0x5A});
    std::copy_n(reinterpret_cast<const std::byte*>(floats.data()), count * 4, in.begin() + 1);
    Convert(DType::kF32, in.data() + 1, DType::kBF16, out.data() + 1, count);
    EXPECT_EQ(std::memcmp(out.data() + 1, expected.data(), count * 2), 0) << count;
    EXPECT_EQ(out[0], std::byte{0x5A});
    EXPECT_EQ(out[count * 2 + 1], std::byte{0x5A}) << "written beyond the end";
  }
}

TEST_F(ConvertTest, IntegersRoundOnce) {
  const std::vector<int64_t> values = {0,
                                       -1,
                                       (int64_t{1} << 53) + 1,
                                       (int64_t{1} << 24) + 1,
                                       0x101000001,    // above a tie of BF16
                                       0x10100000001,  // the same, lost in F32
                                       -0x10100000001,
                                       std::numeric_limits<int64_t>::min(),
                                       std::numeric_limits<int64_t>::max()};
  EXPECT_EQ(Converted<double>(DType::kI64, values, DType::kF64)[2], 0x1p53);
  EXPECT_EQ(Converted<float>(DType::kI64, values, DType::kF32)[3], 0x1p24F);
  const auto bf16 = Converted<uint16_t>(DType::kI64, values, DType::kBF16);
  EXPECT_EQ(BF16ToFloat(bf16[1]), -1.0F);
  EXPECT_EQ(BF16ToFloat(bf16[4]), 0x1.02p32F);
  EXPECT_EQ(BF16ToFloat(bf16[5]), 0x1.02p40F);
  EXPECT_EQ(BF16ToFloat(bf16[6]), -0x1.02p40F);
  EXPECT_EQ(BF16ToFloat(bf16[7]), -0x1p63F);
  EXPECT_EQ(BF16ToFloat(bf16[8]), 0x1p63F);
  const std::vector<uint64_t> large = {std::numeric_limits<uint64_t>::max()};
  EXPECT_EQ(Converted<float>(DType::kU64, large, DType::kF32)[0], 0x1p64F);
}

TEST_F(ConvertTest, SmallTypes) {
  const std::vector<uint8_t> bytes = {0, 1, 127, 128, 255};
  EXPECT_EQ(Converted<float>(DType::kU8, bytes, DType::kF32)[4], 255.0F);
  EXPECT_EQ(Converted<float>(DType::kI8, bytes, DType::kF32)[4], -1.0F);
  EXPECT_EQ(Converted<float>(DType::kBool, bytes, DType::kF32)[3], 1.0F);
  const auto powers = Converted<float>(DType::kF8E8M0, bytes, DType::kF32);
  EXPECT_EQ(powers[0], 0x1p-127F);
  EXPECT_EQ(powers[1], 0x1p-126F);
  EXPECT_EQ(powers[2], 1.0F);
  EXPECT_EQ(powers[3], 2.0F);
  EXPECT_TRUE(std::isnan(powers[4]));
  const std::vector<uint8_t> pairs = {0x10, 0x32, 0x54, 0x76, 0x98, 0xBA, 0xDC, 0xFE};
  std::vector<float> e2m1(16);
  Convert(DType::kF4, reinterpret_cast<const std::byte*>(pairs.data()), DType::kF32,
          reinterpret_cast<std::byte*>(e2m1.data()), 16);
  EXPECT_EQ(e2m1,
            (std::vector<float>{0, .5, 1, 1.5, 2, 3, 4, 6, -0., -.5, -1, -1.5, -2, -3, -4, -6}));
  EXPECT_TRUE(std::signbit(e2m1[8]));
}

TEST_F(ConvertTest, UnknownPairsAreRefused) {
  EXPECT_TRUE(CanConvert(DType::kC64, DType::kC64));
  EXPECT_FALSE(CanConvert(DType::kC64, DType::kF32));
  EXPECT_FALSE(CanConvert(DType::kF32, DType::kI32));
  EXPECT_FALSE(CanConvert(DType::kF6E2M3, DType::kF32));
  std::byte buffer[8] = {};
  try {
    Convert(DType::kF32, buffer, DType::kI32, buffer + 4, 1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
  }
}

TEST_F(ConvertTest, FindsNonFiniteValues) {
  struct Row {
    DType dtype;
    uint64_t finite;
    uint64_t bad;
  };

  for (const Row& row :
       {Row{DType::kF32, 0x7F7FFFFF, 0xFF800000}, Row{DType::kF32, 0, 0x7F800001},
        Row{DType::kBF16, 0xFF7F, 0x7F80}, Row{DType::kF16, 0x7BFF, 0xFE00},
        Row{DType::kF64, 0x7FEFFFFFFFFFFFFF, 0xFFF0000000000000}, Row{DType::kF8E4M3, 0x7E, 0xFF},
        Row{DType::kF8E5M2, 0x7B, 0x7D}, Row{DType::kF8E8M0, 0xFE, 0xFF}}) {
    const size_t width = Info(row.dtype).bits / 8;
    for (const int64_t target : Targets()) {
      ForceSimdTarget(target);
      for (const size_t count : {1, 5, 33, 4097, 9000}) {
        std::vector<std::byte> data(count * width);
        for (size_t i = 0; i < count; ++i) {
          std::memcpy(&data[i * width], &row.finite, width);
        }
        EXPECT_FALSE(HasNonFinite(row.dtype, data.data(), count)) << Name(row.dtype);
        EXPECT_EQ(FindNonFinite(row.dtype, data.data(), count).count, 0U);
        const size_t first = count / 2;
        std::memcpy(&data[first * width], &row.bad, width);
        std::memcpy(&data[(count - 1) * width], &row.bad, width);
        EXPECT_TRUE(HasNonFinite(row.dtype, data.data(), count)) << Name(row.dtype) << count;
        const NonFinite found = FindNonFinite(row.dtype, data.data(), count);
        EXPECT_EQ(found.count, first == count - 1 ? 1U : 2U);
        EXPECT_EQ(found.first, first);
      }
    }
  }
  const std::vector<float> complex = {1, 2, 3, INFINITY, NAN, NAN};
  const auto* bytes = reinterpret_cast<const std::byte*>(complex.data());
  EXPECT_EQ(FindNonFinite(DType::kC64, bytes, 3).count, 2U);
  EXPECT_EQ(FindNonFinite(DType::kC64, bytes, 3).first, 1U);
  EXPECT_FALSE(HasNonFinite(DType::kU16, bytes, 12));
}

}  // namespace
}  // namespace lbrx
