// Merges from the configuration to the folder: against mergekit 0.1.5's results (what they are:
// tests/data/merge/README.md), and what surrounds the arithmetic.
#include "merge/merge.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "merge/test_merges.h"
#include "support/checkpoints.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

Json ReadJson(const std::string& path) {
  return ParseJson(ReadWholeFile(path), path);
}

// Of arcee_fusion, values at the threshold fall on either side by what float32 rounds: mergekit
// itself misses its own norms by 1.7e-4 with another build of torch.
double NormTolerance(const std::string& golden) {
  return golden == "arcee_fusion" ? 2e-4 : 1e-5;
}

class MergekitTest : public ::testing::TestWithParam<std::string> {};

TEST_P(MergekitTest, GivesItsTensorsAndConfig) {
  const TempDir dir;
  MergeRequest merge = RequestOf(ConfigOf(GetParam()));
  merge.seed = 42;  // the goldens were made with it
  merge.compat = true;
  Execute(merge, dir / "out");
  const std::map<std::string, ReadTensor> tensors = TensorsOf(dir / "out");
  const Json expected = ReadJson(kMergeData + GetParam() + ".expected.json");
  ASSERT_EQ(tensors.size(), expected.AsObject().size());
  for (const auto& [name, golden] : expected.AsObject()) {
    ASSERT_TRUE(tensors.contains(name)) << name;
    const ReadTensor& tensor = tensors.at(name);
    EXPECT_EQ(Info(tensor.dtype).long_name, golden.Find("dtype")->AsString()) << name;
    std::vector<uint64_t> dims;
    for (const Json& dim : golden.Find("shape")->AsArray()) {
      dims.push_back(dim.AsUint64());
    }
    ASSERT_EQ(tensor.shape, Shape(dims)) << name;
    double squares = 0;
    float largest = 0;
    for (const float value : tensor.values) {
      squares += static_cast<double>(value) * value;
      largest = std::max(largest, std::abs(value));
    }
    const double norm = golden.Find("l2")->AsDouble();
    EXPECT_NEAR(std::sqrt(squares), norm, NormTolerance(GetParam()) * norm) << name;
    const Json::Array& sample = golden.Find("sample")->AsArray();
    for (size_t i = 0; i < sample.size(); ++i) {
      const float value = tensor.values[i * tensor.values.size() / sample.size()];
      ASSERT_NEAR(value, sample[i].AsDouble(), 1e-5 * largest) << name << " sample " << i;
    }
  }
  const Json config = ReadJson(dir / "out/config.json");
  const Json golden = ReadJson(kMergeData + GetParam() + ".config.json");
  for (const auto& [key, value] : golden.AsObject()) {
    ASSERT_NE(config.Find(key), nullptr) << key;
    EXPECT_TRUE(*config.Find(key) == value) << key;
  }
}

std::vector<std::string> Goldens() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kMergeData)) {
    if (entry.path().extension() == ".yml") {
      names.push_back(entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(MergekitTest, AllGoldensAreThere) {
  EXPECT_EQ(Goldens().size(), 26U);
}

INSTANTIATE_TEST_SUITE_P(Goldens, MergekitTest, ::testing::ValuesIn(Goldens()),
                         [](const auto& info) { return info.param; });

// Everything but the random stream is the same without --compat, as the sources are float32.
TEST(MergeTest, ThreadsAndMemoryChangeNothing) {
  for (const std::string& name : Goldens()) {
    const TempDir dir;
    MergeRequest merge = RequestOf(ConfigOf(name));
    merge.seed = 7;
    Execute(merge, dir / "one", 1, uint64_t{64} << 20);
    Execute(merge, dir / "seven", 7, uint64_t{24} << 20);
    EXPECT_EQ(ReadTree(dir / "one"), ReadTree(dir / "seven")) << name;
  }
}

}  // namespace
}  // namespace lbrx
