// GGUF <-> MLX: codes carried over, and the same numbers by both formats' definitions.

#include <cmath>
#include <cstring>

#include "convert/test_gguf.h"
#include "core/base/format.h"
#include "core/tensor/convert.h"
#include "core/tensor/ggml_types.h"
#include "formats/gguf/keys.h"

namespace lbrx {
namespace {

// An array's elements, widened.
std::vector<double> Numbers(const ArrayBytes& array) {
  const uint64_t count = array.shape.elements();
  std::vector<float> floats(count);
  Convert(array.dtype, reinterpret_cast<const std::byte*>(array.bytes.data()), DType::kF32,
          reinterpret_cast<std::byte*>(floats.data()), count);
  return {floats.begin(), floats.end()};
}

// Code `index` of a stream of `bits` each, the lowest first, as MLX packs them.
uint32_t CodeAt(const std::string& words, uint64_t index, unsigned bits) {
  uint32_t code = 0;
  for (unsigned i = 0; i < bits; ++i) {
    const uint64_t bit = index * bits + i;
    code |= ((static_cast<unsigned char>(words[bit / 8]) >> (bit % 8)) & 1U) << i;
  }
  return code;
}

double E2M1(uint32_t code) {
  constexpr double kMagnitudes[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
  return (code & 8U) != 0 ? -kMagnitudes[code & 7U] : kMagnitudes[code & 7U];
}

double E4M3(unsigned char byte) {
  const int exponent = (byte >> 3) & 15;
  const int mantissa = byte & 7;
  return exponent == 0 ? std::ldexp(mantissa, -9) : std::ldexp(8 + mantissa, exponent - 10);
}

// What an MLX folder's tensor stands for, by MLX's definitions and without rounding.
std::vector<double> Decode(const std::map<std::string, ArrayBytes>& arrays,
                           const std::string& module, const Json& scheme) {
  const ArrayBytes& codes = arrays.at(module + ".weight");
  const ArrayBytes& scales = arrays.at(module + ".scales");
  const auto bits = static_cast<unsigned>(scheme.Find("bits")->AsUint64());
  const uint64_t group = scheme.Find("group_size")->AsUint64();
  const Json* mode = scheme.Find("mode");
  const std::string kind = mode == nullptr ? "affine" : mode->AsString();
  std::vector<double> out(codes.bytes.size() * 8 / bits);
  if (kind == "affine") {
    const std::vector<double> scale = Numbers(scales);
    const std::vector<double> bias = Numbers(arrays.at(module + ".biases"));
    for (uint64_t i = 0; i < out.size(); ++i) {
      out[i] = CodeAt(codes.bytes, i, bits) * scale[i / group] + bias[i / group];
    }
    return out;
  }
  for (uint64_t i = 0; i < out.size(); ++i) {
    const auto byte = static_cast<unsigned char>(scales.bytes[i / group]);
    const double scale = kind == "mxfp4" ? std::ldexp(1, byte - 127) : E4M3(byte);
    out[i] = E2M1(CodeAt(codes.bytes, i, bits)) * scale;
  }
  return out;
}

// How a module is quantized, by the folder's config.json; null: not at all.
Json SchemeOf(const Json& config, const std::string& module) {
  const Json& block = *config.Find("quantization");
  const Json* own = block.Find(module);
  return own != nullptr ? *own : block;
}

std::string ToMlx(const std::string& source, const std::string& name, const TempDir& folder,
                  std::string* notices = nullptr) {
  ConvertRequest request = RequestFor(source, folder / name);
  request.target = TargetKind::kMlx;
  const std::string said = Execute(request);
  if (notices != nullptr) {
    *notices = said;
  }
  return request.destination;
}

// The values of all tensors under Hugging Face's names, as GGUF's definitions give them.
std::map<std::string, ArrayBytes> Decoded(const std::string& gguf, const TempDir& folder) {
  std::filesystem::remove_all(folder / "decoded");
  ConvertRequest request = RequestFor(gguf, folder / "decoded");
  request.target = TargetKind::kHuggingFace;
  request.dtype = DType::kF32;
  return ArraysOf(Made(request));
}

// Compares what an MLX folder's arrays stand for; returns how many modules are quantized.
size_t ExpectSameNumbers(const std::string& mlx, const std::map<std::string, ArrayBytes>& values) {
  const Json config = ReadJson(mlx + "/config.json");
  const auto arrays = ArraysOf(mlx);
  size_t quantized = 0;
  for (const auto& [name, expected] : values) {
    const std::string module = name.substr(0, name.rfind('.'));
    const std::vector<double> wanted = Numbers(expected);
    std::vector<double> found;
    if (arrays.contains(module + ".scales")) {
      found = Decode(arrays, module, SchemeOf(config, module));
      ++quantized;
    } else {
      found = Numbers(arrays.at(name));
    }
    EXPECT_EQ(found.size(), wanted.size()) << name;
    for (size_t i = 0; i < std::min(found.size(), wanted.size()); ++i) {
      if (static_cast<float>(found[i]) != static_cast<float>(wanted[i])) {
        ADD_FAILURE() << name << "[" << i << "]: " << found[i] << ", not " << wanted[i];
        break;
      }
    }
  }
  return quantized;
}

class GgufToMlx : public ::testing::TestWithParam<std::string> {};

TEST_P(GgufToMlx, CarriesCodes) {
  const TempDir folder;
  ConvertRequest request = RequestFor(TestData("bard-base"), folder / "model.gguf");
  request.scheme = GetParam();
  request.gguf.pure = true;
  Execute(request);
  std::string notices;
  const std::string mlx = ToMlx(request.destination, "mlx", folder, &notices);
  EXPECT_NE(notices.find(": the same numbers"), std::string::npos) << notices;
  EXPECT_EQ(notices.find("rounded anew"), std::string::npos) << notices;
  EXPECT_GT(ExpectSameNumbers(mlx, Decoded(request.destination, folder)), 40U);
  for (const auto& [name, array] : ArraysOf(mlx)) {
    const bool codes = array.dtype == DType::kU32 || array.dtype == DType::kU8;
    EXPECT_TRUE(codes || array.dtype == DType::kF16) << name << " " << Name(array.dtype);
  }
  // And back, in blocks of the same type or of one for the same numbers.
  const std::string back = Made(RequestFor(mlx, folder / "back.gguf"));
  EXPECT_GT(ExpectSameNumbers(mlx, Decoded(back, folder)), 40U);
}

INSTANTIATE_TEST_SUITE_P(Types, GgufToMlx,
                         ::testing::Values("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q1_0", "Q2_0",
                                           "TQ1_0", "TQ2_0", "MXFP4_MOE", "NVFP4"),
                         [](const auto& info) { return info.param; });

TEST(GgufToMlx1, ModulesOfOtherTypesAreInTheBlock) {
  const TempDir folder;
  ConvertRequest request = RequestFor(TestData("bard-base"), folder / "model.gguf");
  request.scheme = "Q4_0";
  request.gguf.output_tensor_type = "Q8_0";
  request.gguf.tensor_types = {{"blk\\.0\\.ffn_down", "Q5_1"}, {"blk\\.1\\.ffn_down", "F16"}};
  Execute(request);
  const std::string mlx = ToMlx(request.destination, "mlx", folder);
  EXPECT_GT(ExpectSameNumbers(mlx, Decoded(request.destination, folder)), 40U);
  const Json config = ReadJson(mlx + "/config.json");
  const Json& block = *config.Find("quantization");
  EXPECT_EQ(block.Find("bits")->AsUint64(), 4U);
  EXPECT_EQ(block.Find("group_size")->AsUint64(), 32U);
  EXPECT_EQ(SchemeOf(config, "lm_head").Find("bits")->AsUint64(), 8U);
  EXPECT_EQ(SchemeOf(config, "model.layers.0.mlp.down_proj").Find("bits")->AsUint64(), 5U);
  EXPECT_EQ(block.Find("model.layers.1.mlp.down_proj"), nullptr);  // no scales: that tells
  EXPECT_EQ(block.Find("model.layers.2.mlp.down_proj"), nullptr);
}

// What MLX has no equal of is told, type by type.
TEST(GgufToMlx1, TellsWhatIsRounded) {
  const TempDir folder;
  ConvertRequest request = RequestFor(TestData("bard-base"), folder / "model.gguf");
  request.scheme = "Q4_0";
  request.gguf.tensor_types = {{"blk\\.0\\.ffn_down", "Q2_K"},
                               {"blk\\.1\\.ffn_down", "IQ4_NL"},
                               {"blk\\.2\\.ffn_down", "Q4_K"}};
  Execute(request);
  std::string notices;
  const std::string mlx = ToMlx(request.destination, "mlx", folder, &notices);
  for (const char* line :
       {"1 IQ4_NL as 5bit/32: rounded anew", "1 Q2_K as 4bit/32: rounded anew",
        "1 Q4_K as 4bit/32: the same codes, scales rounded to f16",
        "1 Q6_K as 8bit/32: rounded anew", "40 Q4_0 as 4bit/32: the same numbers"}) {
    EXPECT_NE(notices.find(line), std::string::npos) << line << "\n" << notices;
  }
}

TEST(MlxToGguf, CarriesCodesAndGivesThemBack) {
  for (const uint16_t group : {uint16_t{32}, uint16_t{64}}) {
    SCOPED_TRACE(group);
    const TempDir folder;
    CopyArchitecture("llama", folder / "hf");
    ConvertRequest quantize = RequestFor(folder / "hf", folder / "q4");
    quantize.scheme = "4bit";
    quantize.group_size = group;
    quantize.dtype = DType::kF16;
    Execute(quantize);
    const std::string gguf = Made(RequestFor(folder / "q4", folder / "model.gguf"));
    size_t carried = 0;
    for (const SourceTensor& tensor : OpenCheckpoint(gguf).tensors) {
      carried += tensor.encoding.scheme == Scheme::kQ41 ? 1 : 0;
    }
    EXPECT_EQ(ExpectSameNumbers(folder / "q4", Decoded(gguf, folder)), carried);
    EXPECT_GT(carried, 10U);
    const std::string again = ToMlx(gguf, "again", folder);
    if (group == 32) {
      ExpectSameArrays(ArraysOf(folder / "q4"), ArraysOf(again));
      EXPECT_EQ(ReadJson(folder / "q4/config.json").Find("quantization")->Find("bits")->AsUint64(),
                ReadJson(again + "/config.json").Find("quantization")->Find("bits")->AsUint64());
    } else {
      EXPECT_EQ(ExpectSameNumbers(again, Decoded(gguf, folder)), carried);
    }
  }
}

}  // namespace
}  // namespace lbrx
