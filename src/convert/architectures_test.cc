// Every architecture against what mlx-lm makes of it (tests/data/arch), and back.

#include <gtest/gtest.h>

#include <filesystem>

#include "convert/convert.h"
#include "core/base/hash.h"
#include "core/io/file.h"
#include "model/architecture.h"
#include "stream/engine.h"
#include "support/checkpoints.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

class Architectures20 : public ::testing::TestWithParam<std::string> {
 protected:
  std::string Source() const { return std::string(LBRX_TEST_DATA) + "/arch/" + GetParam(); }

  static void Run(const ConvertRequest& request) {
    RunOptions options;
    options.destination = request.destination;
    options.sync = false;
    options.threads = 2;
    RunPlan(PlanConvert(request, std::make_shared<Checkpoint>(OpenCheckpoint(request.source))),
            options);
  }

  // Compares with [dtype, shape, first 16 hex digits of the SHA-256 of the bytes] by name.
  void ExpectTensors(const std::string& folder, const Json& expected) const {
    const auto tensors = ReadSafetensors(folder + "/model.safetensors");
    const Checkpoint checkpoint = OpenCheckpoint(folder);
    std::map<std::string, const StoredArray*> arrays;
    for (const StoredArray& array : checkpoint.arrays) {
      arrays[array.name] = &array;
    }
    EXPECT_EQ(arrays.size(), expected.AsObject().size());
    for (const auto& [name, row] : expected.AsObject()) {
      ASSERT_TRUE(arrays.contains(name)) << name;
      EXPECT_EQ(Name(arrays[name]->dtype), row.AsArray()[0].AsString()) << name;
      std::vector<uint64_t> dims;
      for (const Json& dim : row.AsArray()[1].AsArray()) {
        dims.push_back(dim.AsUint64());
      }
      EXPECT_EQ(arrays[name]->shape, Shape(dims)) << name;
      Sha256 hash;
      hash.Update(std::as_bytes(std::span(tensors.at(name))));
      EXPECT_EQ(hash.FinishHex().substr(0, 16), row.AsArray()[2].AsString()) << name;
    }
  }

  static Json Parse(const std::string& path) { return ParseJson(ReadTestFile(path), path); }

  // A `quantization` block with defaults written out, for comparing meanings.
  static Json Explicit(const Json& block) {
    Json out = block;
    for (auto& [key, value] : out.AsObject()) {
      if (value.is_object() && value.Find("mode") == nullptr) {
        value.Set("mode", "affine");
      }
    }
    return out;
  }

  TempDir folder_;
};

TEST_P(Architectures20, MlxTensorsAreThoseOfMlxLm) {
  const std::string golden = Source() + "/expected_mlx.json";
  if (!PathExists(golden)) {  // mlx-lm's own convert fails on it (bf16 gpt_oss, gpt2)
    EXPECT_TRUE(GetParam() == "gpt2" || GetParam() == "gpt_oss");
    return;
  }
  ConvertRequest request;
  request.source = Source();
  request.destination = folder_ / "mlx";
  request.target = TargetKind::kMlx;
  Run(request);
  ExpectTensors(request.destination, *Parse(golden).Find("tensors"));
}

TEST_P(Architectures20, FourBitTensorsAreThoseOfMlxLm) {
  const std::string golden = Source() + "/expected_mlx_q4.json";
  if (!PathExists(golden)) {
    EXPECT_TRUE(GetParam() == "gpt2" || GetParam() == "gpt_oss");
    return;
  }
  ConvertRequest request;
  request.source = Source();
  request.destination = folder_ / "q4";
  request.scheme = "4bit";
  request.group_size = 32;
  request.rule = MlxRule::kCpu;
  Run(request);
  const Json expected = Parse(golden);
  ExpectTensors(request.destination, *expected.Find("tensors"));
  const Json config = Parse(request.destination + "/config.json");
  EXPECT_EQ(Explicit(*config.Find("quantization")), Explicit(*expected.Find("quantization")));
}

TEST_P(Architectures20, ComesBackFromMlxByteForByte) {
  ConvertRequest there;
  there.source = Source();
  there.destination = folder_ / "mlx";
  there.target = TargetKind::kMlx;
  Run(there);
  ConvertRequest back;
  back.source = there.destination;
  back.destination = folder_ / "hf";
  back.target = TargetKind::kHuggingFace;
  Run(back);
  const auto before = ReadSafetensors(Source() + "/model.safetensors");
  const auto after = ReadSafetensors(folder_ / "hf/model.safetensors");
  EXPECT_EQ(before.size(), after.size());
  for (const auto& [name, bytes] : before) {
    ASSERT_TRUE(after.contains(name)) << name;
    EXPECT_TRUE(after.at(name) == bytes) << name;
  }
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const Architecture* row : Architectures()) {
    names.emplace_back(row->name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, Architectures20, ::testing::ValuesIn(Names()),
                         [](const auto& info) { return info.param; });

TEST(ArchitectureData, EveryRowHasAModel) {
  for (const std::string& name : Names()) {
    EXPECT_TRUE(PathExists(std::string(LBRX_TEST_DATA) + "/arch/" + name + "/model.safetensors"))
        << name;
  }
  EXPECT_EQ(Names().size(), 20U);
}

}  // namespace
}  // namespace lbrx
