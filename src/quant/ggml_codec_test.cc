// Properties of GGUF's block codecs: vectors equal the scalar definition for any values, lengths
// and importance, and decoding to other types is decoding and conversion.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "core/base/cpu.h"
#include "core/tensor/convert.h"
#include "core/tensor/ggml_types.h"
#include "quant/codec.h"
#include "quant/ggml_rows.h"
#include "quant/test_runs.h"

namespace lbrx {
namespace {

using Bytes = std::vector<std::byte>;

// Those that can be encoded by whatever codec there is.
std::vector<GgmlType> WritableTypes() {
  std::vector<GgmlType> out;
  for (const GgmlType& type : GgmlTypes()) {
    const Codec* codec = FindCodec(type.encoding.scheme);
    if (IsBlock(type.encoding.scheme) && codec != nullptr && codec->encode != nullptr) {
      out.push_back(type);
    }
  }
  return out;
}

Bytes BytesOf(const std::vector<float>& values) {
  const auto* begin = reinterpret_cast<const std::byte*>(values.data());
  return {begin, begin + values.size() * sizeof(float)};
}

// Any finite patterns: huge next to subnormal, sums beyond f32.
std::vector<float> AnyFinite(GgmlRandom& random, size_t count) {
  std::vector<float> out;
  while (out.size() < count) {
    const uint32_t bits = random.Bits(32);
    float value = 0;
    std::memcpy(&value, &bits, sizeof(value));
    if (std::isfinite(value)) {
      out.push_back(value);
    }
  }
  return out;
}

// Of very different sizes, many of them zero.
std::vector<float> SkewedImportance(GgmlRandom& random, size_t count) {
  std::vector<float> out;
  for (size_t i = 0; i < count; ++i) {
    const auto size = static_cast<int>(random.Bits(5)) - 24;
    out.push_back(random.Bits(2) == 0 ? std::ldexp(1.0F + random.Bits(10) * 0x1p-10F, size) : 0);
  }
  return out;
}

class GgmlCodecTest : public ::testing::Test {
 protected:
  void TearDown() override { ForceSimdTarget(0); }

  static void ExpectEncodesAlike(const GgmlType& type, const std::vector<float>& values,
                                 const std::vector<float>& importance, const std::string& what) {
    const Bytes bytes = BytesOf(values);
    const Planes expected = EncodeRun(type.encoding, MlxRule::kMetal, bytes, true, importance);
    for (const int64_t target : SupportedSimdTargets()) {
      ForceSimdTarget(target);
      const Planes planes = EncodeRun(type.encoding, MlxRule::kMetal, bytes, false, importance);
      EXPECT_TRUE(planes[0] == expected[0])
          << type.name << ", " << what << (importance.empty() ? "" : ", with importance") << " on "
          << SimdTargetName(target);
    }
    ForceSimdTarget(0);
  }
};

TEST_F(GgmlCodecTest, VectorsEqualReferenceForAnyNumberOfBlocks) {
  for (const GgmlType& type : WritableTypes()) {
    GgmlRandom random(type.id);
    for (const size_t blocks : {1, 2, 5, 8, 9, 16, 17, 35}) {
      std::vector<float> values;
      for (size_t i = 0; i < blocks * type.block; ++i) {
        values.push_back(std::ldexp(static_cast<float>(random.Bell()), -27));
      }
      ExpectEncodesAlike(type, values, SkewedImportance(random, type.block),
                         std::to_string(blocks) + " blocks, a row each");
      ExpectEncodesAlike(type, values, SkewedImportance(random, values.size()),
                         std::to_string(blocks) + " blocks of a row");
    }
  }
}

TEST_F(GgmlCodecTest, VectorsEqualReferenceForAnyFinitePatterns) {
  for (const GgmlType& type : WritableTypes()) {
    GgmlRandom random(type.id + 1000);
    const std::vector<float> values = AnyFinite(random, 2048);
    ExpectEncodesAlike(type, values, SkewedImportance(random, 1024), "any patterns");
  }
}

TEST_F(GgmlCodecTest, VectorsEqualReferenceForSkewedImportance) {
  for (const GgmlType& type : WritableTypes()) {
    for (const std::string& kind : GgmlRowKinds()) {
      GgmlRandom random(type.id + kind.size());
      ExpectEncodesAlike(type, GgmlRows(kind), SkewedImportance(random, kGgmlColumns), kind);
    }
  }
}

TEST_F(GgmlCodecTest, DecodersOfAllTargetsAndTypesAgree) {
  for (const GgmlType& type : GgmlTypes()) {
    if (!IsBlock(type.encoding.scheme) || FindCodec(type.encoding.scheme) == nullptr) {
      continue;
    }
    const uint64_t elements = uint64_t{17} * type.block;
    const Planes planes = {GgmlRandomBlocks(type.id + 7, size_t{17} * type.bytes)};
    const Bytes floats = DecodeRun(type.encoding, DType::kF32, planes, elements, true);
    for (const DType dtype : {DType::kF32, DType::kBF16, DType::kF16}) {
      Bytes expected(elements * Info(dtype).bits / 8);
      Convert(DType::kF32, floats.data(), dtype, expected.data(), elements);
      EXPECT_EQ(DecodeRun(type.encoding, dtype, planes, elements, true), expected) << type.name;
      for (const int64_t target : SupportedSimdTargets()) {
        ForceSimdTarget(target);
        EXPECT_EQ(DecodeRun(type.encoding, dtype, planes, elements, false), expected) << type.name;
      }
      ForceSimdTarget(0);
    }
  }
}

}  // namespace
}  // namespace lbrx
