// Properties of every codec: vectors equal the scalar definition, and what is decoded is near what
// was encoded.
#include "quant/codec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "core/base/cpu.h"
#include "core/tensor/convert.h"
#include "quant/test_runs.h"

namespace lbrx {
namespace {

using Bytes = std::vector<std::byte>;

constexpr DType kFloatTypes[] = {DType::kBF16, DType::kF16, DType::kF32};
constexpr MlxRule kRules[] = {MlxRule::kMetal, MlxRule::kCpu};

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15U + 1) {}

  uint32_t Bits() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<uint32_t>(state_ >> 32);
  }

  double Uniform() { return Bits() * 0x1p-32; }

  double Normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) {
      sum += Uniform();
    }
    return sum;
  }

 private:
  uint64_t state_;
};

// All encodings that there are.
std::vector<Encoding> AllEncodings() {
  std::vector<Encoding> out;
  for (const SchemeRow& row : SchemeTable()) {
    for (const DType dtype : kFloatTypes) {
      for (const uint16_t group : {16, 32, 64, 128}) {
        Encoding encoding = row.encoding;
        encoding.dtype = dtype;
        encoding.group = group;
        if (CanEncode(encoding, Shape{1, 128})) {
          out.push_back(encoding);
        }
      }
    }
  }
  return out;
}

std::string LabelOf(const Encoding& encoding) {
  return SchemeLabel(encoding) + " " + std::string(Name(encoding.dtype));
}

// A kind of row: element i of it.
struct Kind {
  const char* name;
  std::function<double(size_t, Random&)> value;
};

const std::vector<Kind>& Kinds() {
  static const std::vector<Kind> kinds = {
      {"normal", [](size_t, Random& r) { return 0.02 * r.Normal(); }},
      {"negative", [](size_t, Random& r) { return -std::fabs(r.Normal()) - 0.01; }},
      {"positive", [](size_t, Random& r) { return std::fabs(r.Normal()) + 0.01; }},
      {"constant by 16",
       [](size_t i, Random&) { return (i / 16 % 3 == 1 ? -1.0 : 1.0) * (0.1 + i / 16 % 7); }},
      {"zeros", [](size_t i, Random&) { return i % 2 == 0 ? 0.0 : -0.0; }},
      {"quarter ties",
       [](size_t i, Random& r) { return (r.Bits() % 61 - 30.0) / (4 << (i / 64 % 4)); }},
      {"step ties", [](size_t i, Random&) { return static_cast<double>(7 * i % 511) / 2 - 100.0; }},
      {"E4M3 ties",
       [](size_t, Random& r) {
         return std::ldexp(16.0 + r.Bits() % 16 + 0.5, static_cast<int>(r.Bits() % 18) - 13) *
                (r.Bits() % 2 == 0 ? 1 : -1);
       }},
      {"near eps", [](size_t, Random& r) { return 4e-7 * r.Normal(); }},
      {"tiny", [](size_t, Random& r) { return 1e-30 * r.Normal(); }},
      {"denormal",
       [](size_t i, Random& r) { return std::ldexp(r.Normal(), i / 64 % 2 == 0 ? -130 : -22); }},
      {"outlier", [](size_t i, Random& r) { return i % 37 == 5 ? 50.0 : 1e-3 * r.Normal(); }},
      {"wide",
       [](size_t, Random& r) {
         return std::ldexp(r.Normal(), static_cast<int>(r.Bits() % 60) - 40);
       }},
      {"one", [](size_t i, Random&) { return i % 128 == 77 ? -0.4375 : 0.0; }},
  };
  return kinds;
}

Bytes Row(const Kind& kind, DType dtype, size_t count) {
  Random random(count);
  std::vector<double> values;
  for (size_t i = 0; i < count; ++i) {
    double value = kind.value(i, random);
    if (dtype == DType::kF16) {
      value = std::fmin(std::fmax(value, -65504.0), 65504.0);
    }
    values.push_back(value);
  }
  Bytes out(count * Info(dtype).bits / 8);
  Convert(DType::kF64, reinterpret_cast<const std::byte*>(values.data()), dtype, out.data(), count);
  return out;
}

// Any finite values: huge next to subnormal, ranges beyond f32.
Bytes RandomPatterns(DType dtype, size_t count, uint64_t seed) {
  Random random(seed);
  const size_t width = Info(dtype).bits / 8;
  Bytes out(count * width);
  for (size_t i = 0; i < count; ++i) {
    do {
      const uint32_t bits = random.Bits();
      std::memcpy(&out[i * width], &bits, width);
    } while (HasNonFinite(dtype, &out[i * width], 1));
  }
  return out;
}

class CodecTest : public ::testing::Test {
 protected:
  void TearDown() override { ForceSimdTarget(0); }

  // Fails where a target's bytes differ from the reference's.
  void ExpectEncodesAlike(const Encoding& encoding, const Bytes& values, const std::string& what) {
    SCOPED_TRACE(LabelOf(encoding) + ", " + what);
    for (const MlxRule rule : kRules) {
      const Planes expected = EncodeRun(encoding, rule, values, true);
      for (const int64_t target : SupportedSimdTargets()) {
        ForceSimdTarget(target);
        const Planes planes = EncodeRun(encoding, rule, values, false);
        for (size_t p = 0; p < planes.size(); ++p) {
          EXPECT_TRUE(planes[p] == expected[p])
              << LabelOf(encoding) << (rule == MlxRule::kCpu ? " cpu, " : " metal, ") << what
              << ", plane " << p << " on " << SimdTargetName(target);
        }
      }
      ForceSimdTarget(0);
    }
  }
};

TEST_F(CodecTest, EverySchemeHasACodec) {
  for (const Encoding& encoding : AllEncodings()) {
    ASSERT_NE(FindCodec(encoding.scheme), nullptr) << SchemeName(encoding.scheme);
  }
  EXPECT_EQ(FindCodec(Scheme::kPlain), nullptr);
  EXPECT_EQ(AllEncodings().size(), 7U * 3 * 3 + 3 * 3);
}

TEST_F(CodecTest, VectorsEqualReferenceOnAdversarialRows) {
  for (const Encoding& encoding : AllEncodings()) {
    for (const Kind& kind : Kinds()) {
      ExpectEncodesAlike(encoding, Row(kind, encoding.dtype, size_t{65} * 128), kind.name);
    }
  }
}

TEST_F(CodecTest, VectorsEqualReferenceOnAnyFinitePatterns) {
  for (const Encoding& encoding : AllEncodings()) {
    ExpectEncodesAlike(encoding, RandomPatterns(encoding.dtype, size_t{70} * 128, encoding.bits),
                       "any patterns");
  }
}

TEST_F(CodecTest, VectorsEqualReferenceForAnyNumberOfGroups) {
  for (const Encoding& encoding : AllEncodings()) {
    for (const size_t groups : {1, 2, 3, 7, 8, 9, 31, 32, 33, 63, 64, 65, 129}) {
      ExpectEncodesAlike(encoding, Row(Kinds()[0], encoding.dtype, groups * encoding.group),
                         std::to_string(groups) + " groups");
    }
  }
}

// Codes, scales and biases of any bits at all.
Planes RandomPlanes(const Encoding& encoding, uint64_t elements, bool finite) {
  Random random(elements + encoding.bits);
  Planes out;
  for (const Plane& plane : PlanesOf(encoding, Shape{1, elements})) {
    out.emplace_back(PlaneBytes(plane));
    for (std::byte& b : out.back()) {
      b = static_cast<std::byte>(random.Bits());
    }
  }
  for (size_t p = 1; p < out.size() && finite && encoding.scheme == Scheme::kAffine; ++p) {
    out[p] = RandomPatterns(encoding.dtype, elements / encoding.group, p);
  }
  return out;
}

// Equal, NaN patterns aside: which NaN an operation gives differs among CPUs.
bool SameValues(DType dtype, const Bytes& a, const Bytes& b) {
  const size_t width = Info(dtype).bits / 8;
  for (size_t i = 0; i < a.size(); i += width) {
    float x = 0;
    float y = 0;
    Convert(dtype, &a[i], DType::kF32, reinterpret_cast<std::byte*>(&x), 1);
    Convert(dtype, &b[i], DType::kF32, reinterpret_cast<std::byte*>(&y), 1);
    const bool same = std::memcmp(&a[i], &b[i], width) == 0;
    if (!same && !(std::isnan(x) && std::isnan(y))) {
      return false;
    }
  }
  return a.size() == b.size();
}

TEST_F(CodecTest, DecodersEqualReference) {
  for (const Encoding& encoding : AllEncodings()) {
    for (const size_t groups : {1, 3, 31, 32, 33, 64, 65, 130}) {
      for (const bool finite : {true, false}) {
        const uint64_t elements = groups * encoding.group;
        const Planes planes = RandomPlanes(encoding, elements, finite);
        for (const DType dtype : kFloatTypes) {
          const Bytes expected = DecodeRun(encoding, dtype, planes, elements, true);
          for (const int64_t target : SupportedSimdTargets()) {
            ForceSimdTarget(target);
            EXPECT_TRUE(
                SameValues(dtype, DecodeRun(encoding, dtype, planes, elements, false), expected))
                << LabelOf(encoding) << " to " << Name(dtype) << ", " << groups << " groups";
          }
          ForceSimdTarget(0);
        }
      }
    }
  }
}

// The largest error as a part of the range from the group's least to its greatest value and zero.
double LargestError(const Encoding& encoding, MlxRule rule, const Bytes& values, size_t count) {
  const Planes planes = EncodeRun(encoding, rule, values, false);
  const Bytes decoded = DecodeRun(encoding, DType::kF32, planes, count, false);
  std::vector<float> in(count);
  std::vector<float> out(count);
  Convert(encoding.dtype, values.data(), DType::kF32, reinterpret_cast<std::byte*>(in.data()),
          count);
  std::memcpy(out.data(), decoded.data(), decoded.size());
  double worst = 0;
  for (size_t begin = 0; begin < count; begin += encoding.group) {
    double low = 0;
    double high = 0;
    double error = 0;
    for (size_t i = begin; i < begin + encoding.group; ++i) {
      low = std::min<double>(low, in[i]);
      high = std::max<double>(high, in[i]);
      error = std::max(error, std::fabs(double{in[i]} - out[i]));
    }
    worst = std::max(worst, error / (high - low));
  }
  return worst;
}

TEST_F(CodecTest, DecodedIsWithinHalfAStep) {
  constexpr size_t kCount = size_t{64} * 128;
  for (const Encoding& encoding : AllEncodings()) {
    double bound = 0;
    if (encoding.scheme != Scheme::kAffine) {
      bound = encoding.bits == 8 ? 1.0 / 20 : 1.0 / 6;
    } else if (encoding.bits == 1) {
      bound = 0.51;
    } else {
      // Snapping zero to a code stretches the steps: a value may lie one step from its code. BF16
      // scales and sums add their own error.
      bound = 1.0 / ((1 << encoding.bits) - 1) + (encoding.dtype == DType::kBF16 ? 0.012 : 1e-3);
    }
    for (const MlxRule rule : kRules) {
      const double error =
          LargestError(encoding, rule, Row(Kinds()[0], encoding.dtype, kCount), kCount);
      EXPECT_LT(error, bound) << LabelOf(encoding);
      EXPECT_GT(error, 0) << LabelOf(encoding);
    }
  }
}

TEST_F(CodecTest, RangeBeyondFloatGivesZeroCodes) {
  // mx - mn overflows: the scale is minus infinity and MLX's codes are all zero.
  std::vector<float> row(64, 3e38F);
  for (size_t i = 0; i < row.size(); i += 2) {
    row[i] = -3e38F;
  }
  Bytes values(row.size() * sizeof(float));
  std::memcpy(values.data(), row.data(), values.size());
  for (const bool reference : {true, false}) {
    const Planes planes = EncodeRun(Affine(4, 64, DType::kF32), MlxRule::kMetal, values, reference);
    EXPECT_EQ(planes[0], Bytes(32));
    float scale = 0;
    std::memcpy(&scale, planes[1].data(), sizeof(scale));
    EXPECT_EQ(scale, -INFINITY);
  }
}

TEST_F(CodecTest, ScalarFallbackIsUsedWithoutVectors) {
  const Encoding encoding = Affine(4, 64, DType::kBF16);
  const Bytes values = Row(Kinds()[0], DType::kBF16, 256);
  const Planes expected = EncodeRun(encoding, MlxRule::kMetal, values, true);
  ForceSimdTarget(kForceScalar);
  EXPECT_EQ(EncodeRun(encoding, MlxRule::kMetal, values, false), expected);
  EXPECT_EQ(DecodeRun(encoding, DType::kF32, expected, 256, false),
            DecodeRun(encoding, DType::kF32, expected, 256, true));
}

}  // namespace
}  // namespace lbrx
