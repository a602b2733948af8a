// Codes of MLX's tensors carried to GGUF's blocks, against the decoders of both sides: the numbers
// must be equal.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "quant/ggml_rows.h"
#include "quant/test_recode.h"

namespace lbrx {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// An affine tensor of 8 groups with random codes.
struct AffineTensor {
  static constexpr uint64_t kGroups = 8;

  AffineTensor(int bits, int group, DType dtype)
      : encoding(Affine(static_cast<uint8_t>(bits), static_cast<uint16_t>(group), dtype)),
        planes(3) {
    GgmlRandom random(bits);
    planes[0].resize(PlaneSize(encoding, elements(), 0));
    for (std::byte& byte : planes[0]) {
      byte = static_cast<std::byte>(random.Bits(8));
    }
    for (uint64_t g = 0; g < kGroups; ++g) {
      Set(g, std::ldexp(static_cast<float>(random.Bits(7)) - 64, -9),
          std::ldexp(static_cast<float>(random.Bits(7)) - 64, -7));
    }
  }

  uint64_t elements() const { return kGroups * encoding.group; }

  void Set(uint64_t group, float scale, float bias) {
    SetPlane(1, group, scale);
    SetPlane(2, group, bias);
  }

  // Biases -2^power times the scales.
  void MakeSymmetric(int power) {
    for (uint64_t g = 0; g < kGroups; ++g) {
      const float scale = std::ldexp(static_cast<float>(g) - 3, -9);
      Set(g, scale, -std::ldexp(scale, power));
    }
  }

  Encoding encoding;
  Planes planes;

 private:
  void SetPlane(size_t plane, uint64_t group, float value) {
    const size_t width = Info(encoding.dtype).bits / 8;
    planes[plane].resize(kGroups * width);
    Convert(DType::kF32, reinterpret_cast<const std::byte*>(&value), encoding.dtype,
            planes[plane].data() + group * width, 1);
  }
};

void ExpectTwin(const AffineTensor& tensor, std::optional<Scheme> wanted) {
  const std::optional<Scheme> twin = TwinOf(tensor.encoding, tensor.planes);
  ASSERT_EQ(twin.has_value(), wanted.has_value());
  if (!wanted) {
    return;
  }
  ASSERT_EQ(SchemeName(*twin), SchemeName(*wanted));
  const uint64_t blocks = tensor.elements() / FindGgmlType(*twin).block;
  const Bytes whole = BlocksFrom(tensor.encoding, *twin, tensor.planes, 0, blocks);
  ExpectEqual(DecodeBlocks(*twin, whole),
              DecodeMlx(tensor.encoding, tensor.planes, tensor.elements()));
  Bytes parts;
  for (uint64_t first = 0, step = 1; first < blocks; first += step++) {
    const Bytes part =
        BlocksFrom(tensor.encoding, *twin, tensor.planes, first, std::min(step, blocks - first));
    parts.insert(parts.end(), part.begin(), part.end());
  }
  EXPECT_EQ(parts, whole);
}

std::optional<Scheme> SymmetricTwin(int bits, int group) {
  switch (bits) {
    case 1:
      return group == 128 ? Scheme::kQ10 : Scheme::kQ41;
    case 2:
      return group >= 64 ? Scheme::kQ20 : Scheme::kQ41;
    case 3:
      return Scheme::kQ41;
    case 4:
      return Scheme::kQ40;
    case 5:
      return Scheme::kQ50;
    case 8:
      return Scheme::kQ80;
    default:
      return std::nullopt;
  }
}

std::optional<Scheme> FreeTwin(int bits) {
  if (bits > 5) {
    return std::nullopt;
  }
  return bits == 5 ? Scheme::kQ51 : Scheme::kQ41;
}

TEST(RecodeAffineTest, EveryAffineEncoding) {
  for (const int bits : {1, 2, 3, 4, 5, 6, 8}) {
    for (const int group : {32, 64, 128}) {
      for (const DType dtype : {DType::kF16, DType::kBF16, DType::kF32}) {
        SCOPED_TRACE(testing::Message() << bits << "/" << group << " " << Name(dtype));
        AffineTensor tensor(bits, group, dtype);
        ExpectTwin(tensor, FreeTwin(bits));
        tensor.MakeSymmetric(bits - 1);
        // Half a scale is a bias of 1 bit.
        if (bits == 1) {
          for (uint64_t g = 0; g < AffineTensor::kGroups; ++g) {
            tensor.Set(g, std::ldexp(static_cast<float>(g) - 3, -9),
                       -std::ldexp(static_cast<float>(g) - 3, -10));
          }
        }
        // 2 bits: the code in the middle is 1 there, as -1, 0 and 1 are 0, 1 and 2.
        if (bits == 2) {
          tensor.MakeSymmetric(0);
        }
        ExpectTwin(tensor, SymmetricTwin(bits, group));
        if (SymmetricTwin(bits, group)) {
          tensor.Set(AffineTensor::kGroups - 1, 0.5F, -0.625F);  // one group that is not
          ExpectTwin(tensor, FreeTwin(bits));
        }
      }
    }
  }
}

TEST(RecodeAffineTest, ScalesThatF16DoesNotHave) {
  const std::pair<DType, float> cases[] = {
      {DType::kF32, 1 + 0x1p-12F}, {DType::kF32, 0x1p-25F},   {DType::kF32, 65505},
      {DType::kF32, kInfinity},    {DType::kF32, NAN},        {DType::kBF16, 65536},
      {DType::kBF16, 0x1.8p-24F},  {DType::kBF16, kInfinity}, {DType::kBF16, NAN},
      {DType::kF16, kInfinity},    {DType::kF16, -kInfinity}, {DType::kF16, NAN},
  };
  for (const auto& [dtype, number] : cases) {
    SCOPED_TRACE(testing::Message() << Name(dtype) << " " << number);
    for (const int bits : {1, 2, 3, 4, 5}) {
      AffineTensor scale(bits, 64, dtype);
      const Planes good = scale.planes;
      scale.Set(5, number, 0.25F);
      ExpectTwin(scale, std::nullopt);
      EXPECT_THROW(BlocksFrom(scale.encoding, *FreeTwin(bits), scale.planes, 0, 16), Error);
      AffineTensor bias(bits, 64, dtype);
      bias.Set(5, 0.25F, number);
      ExpectTwin(bias, std::nullopt);
      EXPECT_THROW(BlocksFrom(bias.encoding, *FreeTwin(bits), bias.planes, 0, 16), Error);
    }
    AffineTensor symmetric(8, 64, dtype);
    symmetric.MakeSymmetric(7);
    symmetric.Set(5, number, -128 * number);
    ExpectTwin(symmetric, std::nullopt);
  }
}

TEST(RecodeAffineTest, ScalesAtTheEdgesOfF16) {
  AffineTensor tensor(4, 64, DType::kBF16);
  tensor.MakeSymmetric(3);
  tensor.Set(0, 0x1p-24F, -0x1p-21F);  // the least one
  tensor.Set(1, 20480, -163840);       // a bias beyond F16, which is not stored
  tensor.Set(2, -0.0F, 0.0F);
  tensor.Set(3, 0.0F, 0.0F);
  ExpectTwin(tensor, Scheme::kQ40);
  tensor.Set(4, 1, -8.0625F);  // now biases are stored
  ExpectTwin(tensor, std::nullopt);
}

TEST(RecodeAffineTest, SmallFloatScalesThatMeanAnotherNumber) {
  const Bytes good(64, std::byte{0x30});
  const auto twin = [&](const Encoding& mlx, int byte) {
    Bytes scales = good;
    scales[63] = static_cast<std::byte>(byte);
    BlockTwinScan scan(mlx);
    scan.Add(scales.data(), nullptr, scales.size());
    return scan.Twin();
  };
  const Encoding mxfp4 = {Scheme::kMxfp4, 4, 32, DType::kBF16};
  const Encoding nvfp4 = {Scheme::kNvfp4, 4, 16, DType::kBF16};
  EXPECT_EQ(twin(mxfp4, 254), Scheme::kBlockMxfp4);
  EXPECT_EQ(twin(mxfp4, 255), std::nullopt);
  EXPECT_EQ(twin(nvfp4, 0x7E), Scheme::kBlockNvfp4);
  EXPECT_EQ(twin(nvfp4, 0x7F), std::nullopt);
  EXPECT_EQ(twin(nvfp4, 0x80), std::nullopt);
  EXPECT_EQ(twin(nvfp4, 0xFF), std::nullopt);
  EXPECT_EQ(twin({Scheme::kMxfp8, 8, 32, DType::kBF16}, 0x30), std::nullopt);
}

TEST(RecodeAffineTest, WhatIsNeverPossibleIsAnInternalError) {
  const AffineTensor tensor(6, 64, DType::kF16);
  EXPECT_THROW(BlocksFrom(tensor.encoding, Scheme::kQ41, tensor.planes, 0, 1), Error);
  EXPECT_THROW(FirstUncarried(Scheme::kQ6K, nullptr, 0), Error);
}

}  // namespace
}  // namespace lbrx
