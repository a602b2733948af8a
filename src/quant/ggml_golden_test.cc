// GGUF's block types against GGML's own quantizers: tests/data/make_ggml.py says how.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "core/base/cpu.h"
#include "core/base/hash.h"
#include "core/tensor/ggml_types.h"
#include "quant/codec.h"
#include "quant/ggml_rows.h"
#include "quant/test_runs.h"
#include "support/tiny_json.h"

namespace lbrx {
namespace {

using testing::TinyJson;

// Those that have codecs.
std::vector<GgmlType> BlockTypes() {
  std::vector<GgmlType> out;
  for (const GgmlType& type : GgmlTypes()) {
    if (IsBlock(type.encoding.scheme) && FindCodec(type.encoding.scheme) != nullptr) {
      out.push_back(type);
    }
  }
  return out;
}

std::string Digest(const std::vector<std::byte>& bytes) {
  Sha256 sha;
  sha.Update(bytes);
  return sha.FinishHex().substr(0, 16);
}

// With the one NaN that the hashes were made with.
std::vector<std::byte> WithOneNan(std::vector<std::byte> floats) {
  for (size_t i = 0; i < floats.size(); i += sizeof(float)) {
    float value = 0;
    std::memcpy(&value, &floats[i], sizeof(value));
    if (std::isnan(value)) {
      const uint32_t bits = 0x7FC00000;
      std::memcpy(&floats[i], &bits, sizeof(bits));
    }
  }
  return floats;
}

// By SIMD target; kForceScalar stands for the scalar reference.
class GgmlGoldenTest : public ::testing::TestWithParam<int64_t> {
 protected:
  void SetUp() override { ForceSimdTarget(Reference() ? 0 : GetParam()); }

  void TearDown() override { ForceSimdTarget(0); }

  static bool Reference() { return GetParam() == kForceScalar; }

  static const TinyJson& Golden() {
    static const TinyJson golden = TinyJson::FromFile(std::string(LBRX_TEST_DATA) + "/ggml.json");
    return golden;
  }
};

TEST_P(GgmlGoldenTest, DecodesAsGgml) {
  ASSERT_GE(BlockTypes().size(), 18U);
  for (const GgmlType& type : BlockTypes()) {
    if (type.encoding.scheme == Scheme::kQ81) {
      continue;  // GGML itself only multiplies them
    }
    const Planes planes = {GgmlRandomBlocks(type.id, kGgmlDecodedBlocks * type.bytes)};
    const auto values =
        DecodeRun(type.encoding, DType::kF32, planes, kGgmlDecodedBlocks * type.block, Reference());
    EXPECT_EQ(Digest(WithOneNan(values)), Golden()["decode"][std::string(type.name)].text)
        << type.name;
  }
}

TEST_P(GgmlGoldenTest, Q81IsQ80WithASumBetween) {
  const Encoding q80 = FindGgmlType(Scheme::kQ80).encoding;
  const Encoding q81 = FindGgmlType(Scheme::kQ81).encoding;
  Planes planes = {GgmlRandomBlocks(8, 34)};
  const auto expected = DecodeRun(q80, DType::kF32, planes, 32, Reference());
  planes[0].insert(planes[0].begin() + 2, 2, std::byte{0x5A});
  EXPECT_EQ(DecodeRun(q81, DType::kF32, planes, 32, Reference()), expected);
}

std::vector<int64_t> Targets() {
  std::vector<int64_t> out = SupportedSimdTargets();
  out.push_back(kForceScalar);
  return out;
}

INSTANTIATE_TEST_SUITE_P(Targets, GgmlGoldenTest, ::testing::ValuesIn(Targets()),
                         [](const auto& info) {
                           return info.param == kForceScalar ? "Reference"
                                                             : SimdTargetName(info.param);
                         });

}  // namespace
}  // namespace lbrx
