// A whole small model against hashes of what MLX 0.32.4 makes of it, in every mode:
// tests/data/mlx_metal/README.md says how they came about.
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "core/base/hash.h"
#include "quant/codec.h"
#include "quant/test_runs.h"
#include "support/tiny_json.h"

namespace lbrx {
namespace {

using testing::TinyJson;

constexpr char kData[] = LBRX_TEST_DATA;

// The tensors of a safetensors file: name to shape and bytes.
struct Stored {
  std::vector<uint64_t> shape;
  std::vector<std::byte> bytes;
};

std::map<std::string, Stored> ReadSafetensors(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  uint64_t length = 0;
  file.read(reinterpret_cast<char*>(&length), sizeof(length));
  std::string header(length, ' ');
  file.read(header.data(), static_cast<std::streamsize>(length));
  std::map<std::string, Stored> out;
  for (const auto& [name, entry] : TinyJson::Parse(header).members) {
    if (name == "__metadata__") {
      continue;
    }
    EXPECT_EQ(entry["dtype"].text, "BF16");
    Stored stored;
    for (const TinyJson& dim : entry["shape"].items) {
      stored.shape.push_back(std::stoull(dim.text));
    }
    const int64_t begin = std::stoll(entry["data_offsets"][0].text);
    stored.bytes.resize(std::stoull(entry["data_offsets"][1].text) - begin);
    file.seekg(static_cast<std::streamoff>(8 + length) + begin);
    file.read(reinterpret_cast<char*>(stored.bytes.data()),
              static_cast<std::streamsize>(stored.bytes.size()));
    out[name] = std::move(stored);
  }
  EXPECT_TRUE(file.good());
  return out;
}

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
