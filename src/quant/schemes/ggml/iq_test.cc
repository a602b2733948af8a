// The IQ types against ggml: tests/data/ggml_iq.json, written by tests/data/make_ggml_iq.py.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "core/base/cpu.h"
#include "core/base/error.h"
#include "core/base/hash.h"
#include "core/tensor/ggml_types.h"
#include "quant/codec.h"
#include "quant/schemes/ggml/iq_codecs.h"
#include "quant/schemes/ggml/iq_grids.h"
#include "quant/schemes/ggml/iq_inputs.h"
#include "quant/test_runs.h"
#include "support/tiny_json.h"

namespace lbrx {
namespace {

using testing::TinyJson;

std::string Sha256Of(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.FinishHex();
}

// As much of it as the goldens have.
std::string Digest(std::span<const std::byte> bytes) {
  return Sha256Of(bytes).substr(0, 16);
}

const TinyJson& Goldens() {
  static const TinyJson goldens = TinyJson::FromFile(std::string(LBRX_TEST_DATA) + "/ggml_iq.json");
  return goldens;
}

TEST(IqGrids, AreGgmls) {
  const std::vector<std::pair<IqGrid, std::string>> expected = {
      {IqGrid::kTwoBit256, "915952ebc4af8ddba8113583ca1316fc818843f7b825bbf1a25ae1c39bf0e16d"},
      {IqGrid::kTwoBit512, "f66435966ca8d64e9e4a6e3c91e64afcf9015e700ec85962f527283ebae207b9"},
      {IqGrid::kTwoBit1024, "e6e75e121b65e8afa5c1f92b71463cfbe217b83893f438acde22fd5db06a43f7"},
      {IqGrid::kTernary2048, "e9ffebfc997ad6023063a667c0bf4eedd8ebf7f56b3da399cbc7d1b1f7ea52c6"},
      {IqGrid::kThreeBit256, "c9678803c61b2210fbd8cbbb3f965a835409cd7d88a04d086d236261bd221d11"},
      {IqGrid::kThreeBit512, "353274c58dd7d8dc5ee960dc8fc54ff9164eaf2b49206b841cd49415cf393f81"},
  };
  for (const auto& [grid, hash] : expected) {
    EXPECT_EQ(Sha256Of(std::as_bytes(IqGridWords(grid))), hash);
  }
}

TEST(IqDecode, RandomBlocksAsGgml) {
  ASSERT_EQ(Goldens()["decode"].items.size(), IqCodecs().size());
  for (const TinyJson& item : Goldens()["decode"].items) {
    const GgmlType& type = *FindGgmlType(item["type"].text);
    const Planes planes = {testing::IqRandomBlocks(type)};
    const uint64_t elements = testing::kIqRandomBlocks * type.block;
    for (const bool reference : {true, false}) {
      const auto values = DecodeRun(type.encoding, DType::kF32, planes, elements, reference);
      EXPECT_EQ(Digest(values), item["values"].text) << type.name;
    }
  }
}

TEST(IqDecode, VectorsEqualScalars) {
  for (const Codec& codec : IqCodecs()) {
    const GgmlType& type = FindGgmlType(codec.scheme);
    const Planes planes = {testing::IqRandomBlocks(type)};
    const uint64_t elements = testing::kIqRandomBlocks * type.block;
    for (const DType dtype : {DType::kF32, DType::kBF16, DType::kF16}) {
      const auto expected = DecodeRun(type.encoding, dtype, planes, elements, true);
      for (const int64_t target : SupportedSimdTargets()) {
        ForceSimdTarget(target);
        EXPECT_TRUE(DecodeRun(type.encoding, dtype, planes, elements, false) == expected)
            << type.name << " to " << Name(dtype) << ", " << SimdTargetName(target);
      }
      ForceSimdTarget(0);
    }
  }
}

// The blocks of rows that are kIqColumns long, written into a buffer with a guard.
std::vector<std::byte> EncodeRows(const GgmlType& type, const std::vector<float>& values,
                                  const float* importance, bool reference) {
  std::vector<std::byte> out(values.size() / type.block * type.bytes + kGuard, kGuardByte);
  std::byte* planes[] = {out.data()};
  EncodeJob job{
      type.encoding, {}, reinterpret_cast<const std::byte*>(values.data()), values.size(), planes};
  job.importance = importance;
  job.columns = testing::kIqColumns;
  const Codec* codec = FindCodec(type.encoding.scheme);
  (reference ? codec->encode_reference : codec->encode)(job);
  EXPECT_EQ(std::count(out.end() - kGuard, out.end(), kGuardByte), std::ptrdiff_t{kGuard});
  out.resize(out.size() - kGuard);
  return out;
}

class IqEncodeTest : public ::testing::Test {
 protected:
  void TearDown() override { ForceSimdTarget(0); }
};

TEST_F(IqEncodeTest, RowsAsGgml) {
  const std::vector<float> importance = testing::IqImportance();
  std::map<std::string, std::vector<float>> rows;
  for (size_t i = 0; i < testing::IqInputs().size(); ++i) {
    rows[testing::IqInputs()[i].name] = testing::IqRow(i);
  }
  ASSERT_EQ(Goldens()["encode"].items.size(), 180U);
  for (const TinyJson& item : Goldens()["encode"].items) {
    const GgmlType& type = *FindGgmlType(item["type"].text);
    const bool weighted = item["importance"].text == "true";
    const auto blocks =
        EncodeRows(type, rows.at(item["input"].text), weighted ? importance.data() : nullptr, true);
    EXPECT_EQ(Digest(blocks), item["blocks"].text)
        << type.name << ", " << item["input"].text << (weighted ? ", weighted" : "");
    const uint64_t elements = blocks.size() / type.bytes * type.block;
    EXPECT_EQ(Digest(DecodeRun(type.encoding, DType::kF32, {blocks}, elements, true)),
              item["values"].text);
  }
}

TEST_F(IqEncodeTest, VectorsEqualScalars) {
  const std::vector<float> importance = testing::IqImportance();
  for (const Codec& codec : IqCodecs()) {
    const GgmlType& type = FindGgmlType(codec.scheme);
    for (size_t i = 0; i < testing::IqInputs().size(); ++i) {
      const std::vector<float> values = testing::IqRow(i);
      for (const float* weights : {static_cast<const float*>(nullptr), importance.data()}) {
        if (weights == nullptr && NeedsImportance(codec.scheme)) {
          continue;
        }
        const auto expected = EncodeRows(type, values, weights, true);
        for (const int64_t target : SupportedSimdTargets()) {
          ForceSimdTarget(target);
          EXPECT_TRUE(EncodeRows(type, values, weights, false) == expected)
              << type.name << ", " << testing::IqInputs()[i].name << ", " << SimdTargetName(target)
              << (weights == nullptr ? "" : ", weighted");
        }
      }
    }
  }
}

TEST_F(IqEncodeTest, AnyNumberOfBlocks) {
  const std::vector<float> importance = testing::IqImportance();
  const std::vector<float> values = testing::IqRow(0);
  for (const Codec& codec : IqCodecs()) {
    const GgmlType& type = FindGgmlType(codec.scheme);
    const auto expected = EncodeRows(type, values, importance.data(), true);
    for (const size_t blocks : {1, 2, 3, 9, 11}) {
      const std::vector<float> some(values.begin(), values.begin() + blocks * type.block);
      const auto bytes = EncodeRows(type, some, importance.data(), false);
      EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), expected.begin()))
          << type.name << ", " << blocks;
    }
  }
}

TEST_F(IqEncodeTest, RefusedWithoutImportance) {
  size_t refusing = 0;
  for (const Codec& codec : IqCodecs()) {
    const GgmlType& type = FindGgmlType(codec.scheme);
    for (const bool reference : {true, false}) {
      if (NeedsImportance(codec.scheme)) {
        ++refusing;
        EXPECT_THROW(EncodeRows(type, testing::IqRow(0), nullptr, reference), Error) << type.name;
      }
    }
  }
  EXPECT_EQ(refusing, 6U);  // IQ1_S, IQ2_XXS and IQ2_XS
}

}  // namespace
}  // namespace lbrx
