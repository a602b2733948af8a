// A whole small model against hashes of what MLX 0.32.4 makes of it, in every mode:
// tests/data/mlx_metal/README.md says how they came about.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/hash.h"
#include "quant/codec.h"
#include "quant/stored_tensors.h"
#include "quant/test_runs.h"
#include "support/tiny_json.h"

namespace lbrx {
namespace {

using testing::TinyJson;

constexpr char kData[] = LBRX_TEST_DATA;

// "affine/b4/g64", "mxfp4".
Encoding ParseMode(const std::string& mode) {
  if (mode.rfind("affine/", 0) == 0) {
    return Affine(static_cast<uint8_t>(mode[8] - '0'),
                  static_cast<uint16_t>(std::stoi(mode.substr(11))), DType::kBF16);
  }
  Encoding encoding = *ParseScheme(mode, 0);
  encoding.dtype = DType::kBF16;
  return encoding;
}

std::string ShortHash(const std::vector<std::byte>& bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.FinishHex().substr(0, 16);
}

// Parameter: whether the scalar reference is under test.
class GoldenModelTest : public ::testing::TestWithParam<bool> {};

TEST_P(GoldenModelTest, GivesMlxHashes) {
  const auto tensors = ReadSafetensors(std::string(kData) + "/bard-base/model.safetensors");
  const TinyJson expected = TinyJson::FromFile(std::string(kData) + "/mlx_metal/expected.json");
  const std::vector<std::string> keys = {"weight", "scales", "biases"};
  // The reference is slow: a fourth of the tensors shall do for it.
  const size_t largest = GetParam() ? 40000 : SIZE_MAX;
  size_t compared = 0;
  for (const auto& [mode, hashes] : expected["metal"].members) {
    const Encoding encoding = ParseMode(mode);
    const TinyJson& different = expected["cpu_where_different"][mode];
    for (const auto& [name, planes] : hashes.members) {
      const std::vector<std::byte>& values = tensors.at(name).bytes;
      if (values.size() / 2 > largest) {
        continue;
      }
      const Planes metal = EncodeRun(encoding, MlxRule::kMetal, values, GetParam());
      const Planes cpu = EncodeRun(encoding, MlxRule::kCpu, values, GetParam());
      for (size_t p = 0; p < metal.size(); ++p) {
        EXPECT_EQ(ShortHash(metal[p]), planes[keys[p]].text) << mode << " " << name << keys[p];
        const bool differs = different.Has(name) && different[name].Has(keys[p]);
        EXPECT_EQ(ShortHash(cpu[p]), (differs ? different[name] : planes)[keys[p]].text)
            << "cpu " << mode << " " << name << keys[p];
        ++compared;
      }
    }
  }
  EXPECT_EQ(compared, (GetParam() ? 12U : 44U) * (21 * 3 + 3 * 2));
}

INSTANTIATE_TEST_SUITE_P(Codecs, GoldenModelTest, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Reference" : "Fast"; });

}  // namespace
}  // namespace lbrx
