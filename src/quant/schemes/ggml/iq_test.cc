// The IQ types against ggml: tests/data/ggml_iq.json, written by tests/data/make_ggml_iq.py.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

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

TEST(IqEncode, RowsAsGgml) {
  const std::vector<float> importance = testing::IqImportance();
  std::map<std::string, std::vector<float>> rows;
  for (size_t i = 0; i < testing::IqInputs().size(); ++i) {
    rows[testing::IqInputs()[i].name] = testing::IqRow(i);
  }
  ASSERT_EQ(Goldens()["encode"].items.size(), 180U);
  for (const TinyJson& item : Goldens()["encode"].items) {
    const GgmlType& type = *FindGgmlType(item["type"].text);
    const bool weighted = item["importance"].text == "true";
    const auto blocks = testing::EncodeIqRows(type, rows.at(item["input"].text),
                                              weighted ? importance.data() : nullptr, true);
    EXPECT_EQ(Digest(blocks), item["blocks"].text)
        << type.name << ", " << item["input"].text << (weighted ? ", weighted" : "");
    const uint64_t elements = blocks.size() / type.bytes * type.block;
    EXPECT_EQ(Digest(DecodeRun(type.encoding, DType::kF32, {blocks}, elements, true)),
              item["values"].text);
  }
}

}  // namespace
}  // namespace lbrx
