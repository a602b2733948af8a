// The encoders against bytes that MLX 0.32.4 itself wrote: tests/data/mlx_metal/README.md says how.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/tensor/convert.h"
#include "quant/codec.h"
#include "quant/test_runs.h"
#include "support/tiny_json.h"

namespace lbrx {
namespace {

using testing::TinyJson;

constexpr char kData[] = LBRX_TEST_DATA;

std::vector<std::byte> FromHex(const std::string& hex) {
  std::vector<std::byte> out;
  for (size_t i = 0; i < hex.size(); i += 2) {
    out.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return out;
}

std::string ToHex(const std::vector<std::byte>& bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const std::byte b : bytes) {
    out += kDigits[static_cast<int>(b) >> 4];
    out += kDigits[static_cast<int>(b) & 15];
  }
  return out;
}

Encoding ParseEncoding(const std::string& mode, int bits, int group, const std::string& dtype) {
  return {*SchemeByName(mode), static_cast<uint8_t>(bits), static_cast<uint16_t>(group),
          *ParseDType(dtype)};
}

// MLX's 1-bit mode leaves the sign of a zero bias open; ours is +0.
void ClearNegativeZeros(const Encoding& encoding, std::vector<std::byte>& values) {
  const size_t width = Info(encoding.dtype).bits / 8;
  for (size_t i = 0; i < values.size(); i += width) {
    float value = 0;
    Convert(encoding.dtype, &values[i], DType::kF32, reinterpret_cast<std::byte*>(&value), 1);
    if (value == 0.0F) {
      values[i + width - 1] = std::byte{0};
    }
  }
}

Planes ExpectedPlanes(const Encoding& encoding, const TinyJson& hex) {
  Planes out;
  for (const TinyJson& plane : hex.items) {
    out.push_back(FromHex(plane.text));
  }
  if (encoding.scheme == Scheme::kAffine && encoding.bits == 1) {
    ClearNegativeZeros(encoding, out[2]);
  }
  return out;
}

std::string Label(const TinyJson& item) {
  return item["mode"].text + " b" + item["bits"].text + " g" + item["group"].text + " " +
         item["dtype"].text + " " + item["row"].text;
}

class GoldenTest : public ::testing::TestWithParam<bool> {
 protected:  // GetParam(): whether the scalar reference is under test
  Planes Encode(const Encoding& encoding, MlxRule rule, const std::vector<std::byte>& values) {
    return EncodeRun(encoding, rule, values, GetParam());
  }
};

TEST_P(GoldenTest, RowsGiveMlxBytes) {
  const TinyJson vectors = TinyJson::FromFile(std::string(kData) + "/mlx_metal/vectors.json");
  ASSERT_EQ(vectors["cases"].items.size(), 484U);
  for (const TinyJson& item : vectors["cases"].items) {
    const Encoding encoding = ParseEncoding(item["mode"].text, item["bits"].Int(),
                                            item["group"].Int(), item["dtype"].text);
    const auto values = FromHex(vectors["inputs"][item["dtype"].text][item["row"].text].text);
    const Planes metal = Encode(encoding, MlxRule::kMetal, values);
    const Planes expected = ExpectedPlanes(encoding, item["metal"]);
    // Doubt 1 of the README: subnormals may be flushed or not; either counts as right.
    const bool unflushed =
        item.Has("metal_unflushed") && metal == ExpectedPlanes(encoding, item["metal_unflushed"]);
    for (size_t p = 0; p < metal.size() && !unflushed; ++p) {
      EXPECT_EQ(ToHex(metal[p]), ToHex(expected[p])) << Label(item) << " metal plane " << p;
    }
    const Planes cpu = Encode(encoding, MlxRule::kCpu, values);
    const Planes expected_cpu = ExpectedPlanes(encoding, item[item.Has("cpu") ? "cpu" : "metal"]);
    for (size_t p = 0; p < cpu.size(); ++p) {
      EXPECT_EQ(ToHex(cpu[p]), ToHex(expected_cpu[p])) << Label(item) << " cpu plane " << p;
    }
  }
}

TEST_P(GoldenTest, DecodesAsMlxOnACpu) {
  const TinyJson golden = TinyJson::FromFile(std::string(kData) + "/mlx_decode.json");
  ASSERT_EQ(golden["cases"].items.size(), 72U);
  for (const TinyJson& item : golden["cases"].items) {
    const Encoding encoding = ParseEncoding(item["mode"].text, item["bits"].Int(),
                                            item["group"].Int(), item["dtype"].text);
    Planes planes;
    for (const TinyJson& plane : item["planes"].items) {
      planes.push_back(FromHex(plane.text));
    }
    const auto values = DecodeRun(encoding, encoding.dtype, planes, 128, GetParam());
    EXPECT_EQ(ToHex(values), item["values"].text) << SchemeLabel(encoding);
    const auto floats = DecodeRun(encoding, DType::kF32, planes, 128, GetParam());
    std::vector<std::byte> widened(128 * sizeof(float));
    Convert(encoding.dtype, values.data(), DType::kF32, widened.data(), 128);
    EXPECT_EQ(ToHex(floats), ToHex(widened)) << SchemeLabel(encoding);
  }
}

std::vector<std::byte> Floats(const std::vector<float>& values) {
  const auto* begin = reinterpret_cast<const std::byte*>(values.data());
  return {begin, begin + values.size() * sizeof(float)};
}

float FloatAt(const std::vector<std::byte>& bytes) {
  float value = 0;
  std::copy_n(bytes.begin(), sizeof(value), reinterpret_cast<std::byte*>(&value));
  return value;
}

std::string WordsInHex(const std::vector<std::byte>& bytes) {
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 4) {
    const std::vector<std::byte> word = {bytes[i + 3], bytes[i + 2], bytes[i + 1], bytes[i]};
    out += (i == 0 ? "" : " ") + ToHex(word);
  }
  return out;
}

TEST_P(GoldenTest, RampInEveryWidth) {  // the same bytes under both rules

  struct Row {
    int bits;
    float scale;
    std::string words;  // U32 in hex, the first one first
  };

  const std::vector<Row> rows = {
      {2, -1.5F, "aaaaabff 00055555"},
      {3, -0.6F, "6ddb6fff 36dc925b 00124a49"},
      {4, -0.3F, "bccddeef 8899aaab 44556677 00112233"},
      {5, -0.142857149F, "75be77df 3a56d7c6 35cf8465 c74254b6 00443214"},
      {6, -0.0697674453F, "77e7bf7f bb6fc73d 863967a6 1765b75f a30e4125 00210620"},
      {8, -0.0173410401F,
       "e7eff7ff c6ced6de a5adb5bd 848c949d 636b737c 424a525b 2129313a 00081019"},
  };
  std::vector<float> ramp(32);
  for (size_t i = 0; i < ramp.size(); ++i) {
    ramp[i] = (static_cast<float>(i) - 10.0F) / 7.0F;
  }
  for (const Row& row : rows) {
    for (const MlxRule rule : {MlxRule::kMetal, MlxRule::kCpu}) {
      const Planes planes =
          Encode(Affine(static_cast<uint8_t>(row.bits), 32, DType::kF32), rule, Floats(ramp));
      EXPECT_EQ(WordsInHex(planes[0]), row.words) << row.bits;
      EXPECT_EQ(FloatAt(planes[1]), row.scale) << row.bits;
      EXPECT_EQ(FloatAt(planes[2]), 3.0F) << row.bits;
    }
  }
}

TEST_P(GoldenTest, NegativeRampHasHalfTheStepsOnMetal) {
  std::vector<float> ramp(32);
  for (size_t i = 0; i < ramp.size(); ++i) {
    ramp[i] = -1.0F - static_cast<float>(i) / 31.0F;
  }
  const Encoding encoding = Affine(4, 32, DType::kF32);
  const Planes metal = Encode(encoding, MlxRule::kMetal, Floats(ramp));
  const Planes cpu = Encode(encoding, MlxRule::kCpu, Floats(ramp));
  EXPECT_EQ(FloatAt(metal[1]), 0.13333334F);
  EXPECT_EQ(FloatAt(cpu[1]), 0.0666666701F);
  EXPECT_EQ(FloatAt(metal[2]), -2.0F);
  EXPECT_EQ(FloatAt(cpu[2]), -2.0F);
}

INSTANTIATE_TEST_SUITE_P(Codecs, GoldenTest, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Reference" : "Fast"; });

}  // namespace
}  // namespace lbrx
