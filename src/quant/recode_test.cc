// Codes carried over, against the decoders of both sides: the numbers must be equal.
#include "quant/recode.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/tensor/convert.h"
#include "core/tensor/ggml_types.h"
#include "quant/codec.h"
#include "quant/ggml_rows.h"
#include "quant/recode_words.h"
#include "quant/schemes/packing.h"
#include "quant/test_runs.h"

namespace lbrx {
namespace {

using Bytes = std::vector<std::byte>;

constexpr uint64_t kBlocks = 203;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// A block type, where its scales in F16 are, the largest one that MLX's can be, and its twin.
struct Type {
  Scheme scheme;
  std::vector<size_t> halves;
  uint16_t largest;
  Encoding twin;
};

const std::vector<Type>& Types() {
  constexpr DType kF16 = DType::kF16;
  static const std::vector<Type> types = {
      {Scheme::kQ40, {0}, 0x6FFF, Affine(4, 32, kF16)},     // 8188
      {Scheme::kQ41, {0, 2}, 0x7BFF, Affine(4, 32, kF16)},  // 65504
      {Scheme::kQ50, {0}, 0x6BFF, Affine(5, 32, kF16)},     // 4094
      {Scheme::kQ51, {0, 2}, 0x7BFF, Affine(5, 32, kF16)},
      {Scheme::kQ80, {0}, 0x5FFF, Affine(8, 32, kF16)},  // 511.75
      {Scheme::kQ20, {0}, 0x7BFF, Affine(2, 64, kF16)},
      {Scheme::kTq20, {64}, 0x7BFF, Affine(2, 128, kF16)},
      {Scheme::kTq10, {52}, 0x7BFF, Affine(2, 128, kF16)},
      {Scheme::kQ10, {0}, 0x77FF, Affine(1, 128, kF16)},  // 32752
      {Scheme::kBlockMxfp4, {}, 0, {Scheme::kMxfp4, 4, 32, kF16}},
      {Scheme::kBlockNvfp4, {}, 0, {Scheme::kNvfp4, 4, 16, kF16}},
  };
  return types;
}

void SetHalf(std::byte* at, uint16_t bits) {
  std::memcpy(at, &bits, sizeof(bits));
}

// Random codes and scales, those of the first blocks at the edges of what is carried.
Bytes RandomBlocks(const Type& type, uint64_t count) {
  const GgmlType& ggml = FindGgmlType(type.scheme);
  Bytes blocks = GgmlRandomBlocks(ggml.id, count * ggml.bytes);
  GgmlRandom random(ggml.id + 1000);
  const uint16_t edges[] = {0x0000, 0x8000,       0x0001,
                            0x83FF, type.largest, static_cast<uint16_t>(type.largest | 0x8000)};
  for (uint64_t b = 0; b < count; ++b) {
    std::byte* block = blocks.data() + b * ggml.bytes;
    for (const size_t at : type.halves) {
      const auto any =
          static_cast<uint16_t>(random.Bits(15) % (type.largest + 1) | random.Bits(1) << 15);
      SetHalf(block + at, b < 6 ? edges[b] : any);
    }
    if (type.scheme == Scheme::kBlockMxfp4) {
      block[0] = static_cast<std::byte>(b < 2 ? 254 * b : random.Bits(8) % 255);
    }
    if (type.scheme == Scheme::kBlockNvfp4) {
      for (size_t s = 0; s < 4; ++s) {
        block[s] = static_cast<std::byte>(b == 0 ? 0x7E : random.Bits(8) % 0x7F);
      }
    }
  }
  return blocks;
}

uint64_t PlaneSize(const Encoding& encoding, uint64_t elements, size_t plane) {
  return PlaneBytes(PlanesOf(encoding, Shape{1, elements})[plane]);
}

Planes PlanesFrom(const Type& type, const Bytes& blocks) {
  const GgmlType& ggml = FindGgmlType(type.scheme);
  const uint64_t count = blocks.size() / ggml.bytes;
  Planes planes;
  for (size_t i = 0; i < PlanesOf(type.twin, Shape{1, 256}).size(); ++i) {
    planes.emplace_back(PlaneSize(type.twin, count * ggml.block, i) + kGuard, kGuardByte);
    PlaneFromBlocks(type.scheme, blocks.data(), count, i, planes.back().data());
    for (size_t k = 0; k < kGuard; ++k) {
      EXPECT_EQ(planes.back()[planes.back().size() - kGuard + k], kGuardByte);
    }
    planes.back().resize(planes.back().size() - kGuard);
  }
  return planes;
}

std::vector<float> Decode(const Encoding& encoding, const Planes& planes, uint64_t elements) {
  std::vector<const std::byte*> pointers;
  for (const Bytes& plane : planes) {
    pointers.push_back(plane.data());
  }
  std::vector<float> values(elements);
  FindCodec(encoding.scheme)
      ->decode_reference({.encoding = encoding,
                          .dtype = DType::kF32,
                          .planes = pointers,
                          .elements = elements,
                          .values = reinterpret_cast<std::byte*>(values.data())});
  return values;
}

std::vector<float> DecodeBlocks(Scheme scheme, const Bytes& blocks) {
  const GgmlType& ggml = FindGgmlType(scheme);
  return Decode(ggml.encoding, {blocks}, blocks.size() / ggml.bytes * ggml.block);
}

// What an MLX tensor's numbers are, without the roundings of arithmetic in its dtype.
std::vector<float> DecodeMlx(Encoding encoding, Planes planes, uint64_t elements) {
  if (encoding.scheme == Scheme::kAffine) {
    for (size_t i = 1; i < 3; ++i) {
      const uint64_t count = elements / encoding.group;
      Bytes wide(count * sizeof(float));
      Convert(encoding.dtype, planes[i].data(), DType::kF32, wide.data(), count);
      planes[i] = wide;
    }
  }
  encoding.dtype = DType::kF32;
  return Decode(encoding, planes, elements);
}

// Zeros of either sign are equal.
void ExpectEqual(const std::vector<float>& got, const std::vector<float>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i], wanted[i]) << "element " << i;
  }
}

std::optional<Scheme> TwinOf(const Encoding& mlx, const Planes& planes) {
  const uint64_t groups = planes[1].size() / (Info(PlanesOf(mlx, {1, 256})[1].dtype).bits / 8);
  BlockTwinScan scan(mlx);
  scan.Add(planes[1].data(), planes.size() > 2 ? planes[2].data() : nullptr, groups);
  return scan.Twin();
}

// Blocks [first, first + count) of the tensor.
Bytes BlocksFrom(const Encoding& mlx, Scheme block, const Planes& planes, uint64_t first,
                 uint64_t count) {
  const GgmlType& ggml = FindGgmlType(block);
  const uint64_t element = first * ggml.block;
  const uint64_t group = element / mlx.group;
  std::vector<const std::byte*> pointers = {planes[0].data() + element / 8 * mlx.bits};
  for (size_t i = 1; i < planes.size(); ++i) {
    pointers.push_back(planes[i].data() + PlaneSize(mlx, mlx.group, i) * group);
  }
  Bytes out(count * ggml.bytes + kGuard, kGuardByte);
  BlocksFromPlanes({.mlx = mlx,
                    .block = block,
                    .planes = pointers,
                    .skip = element % mlx.group,
                    .count = count,
                    .blocks = out.data()});
  EXPECT_EQ(Bytes(out.end() - kGuard, out.end()), Bytes(kGuard, kGuardByte));
  out.resize(out.size() - kGuard);
  return out;
}

TEST(RecodeTest, WordsJoinAsThePackedStreamHasThem) {
  GgmlRandom random(3);
  const auto check = [&](auto bits) {
    constexpr int kBits = decltype(bits)::value;
    for (int i = 0; i < 500; ++i) {
      uint8_t codes[8];
      for (uint8_t& code : codes) {
        code = static_cast<uint8_t>(random.Bits(kBits));
      }
      std::byte packed[8] = {};
      PackCodes(codes, 8, kBits, packed);
      ASSERT_EQ(JoinCodes<kBits>(LoadBytes<8>(codes)), LoadBytes<kBits>(packed)) << kBits;
      ASSERT_EQ(SplitCodes<kBits>(LoadBytes<kBits>(packed)), LoadBytes<8>(codes)) << kBits;
    }
  };
  check(std::integral_constant<int, 1>());
  check(std::integral_constant<int, 2>());
  check(std::integral_constant<int, 3>());
  check(std::integral_constant<int, 4>());
  check(std::integral_constant<int, 5>());
  check(std::integral_constant<int, 8>());
  for (int byte = 0; byte < 256; ++byte) {
    const uint64_t spread = SpreadBits(static_cast<uint8_t>(byte));
    for (int i = 0; i < 8; ++i) {
      ASSERT_EQ(spread >> (8 * i) & 255, byte >> i & 1U);
    }
    ASSERT_EQ(GatherBits(spread), byte);
  }
}

TEST(RecodeTest, ABlockOfEachKindByHand) {
  // Codes 0 to 15 and back, d = 1.5 (0x3E00).
  Bytes q40 = {std::byte{0x00}, std::byte{0x3E}};
  for (int i = 0; i < 16; ++i) {
    q40.push_back(static_cast<std::byte>(i | (15 - i) << 4));
  }
  uint32_t words[4] = {};
  uint16_t scale = 0;
  PlaneFromBlocks(Scheme::kQ40, q40.data(), 1, 0, reinterpret_cast<std::byte*>(words));
  EXPECT_EQ(words[0], 0x76543210U);
  EXPECT_EQ(words[1], 0xFEDCBA98U);
  EXPECT_EQ(words[2], 0x89ABCDEFU);
  EXPECT_EQ(words[3], 0x01234567U);
  PlaneFromBlocks(Scheme::kQ40, q40.data(), 1, 1, reinterpret_cast<std::byte*>(&scale));
  EXPECT_EQ(scale, 0x3E00);
  PlaneFromBlocks(Scheme::kQ40, q40.data(), 1, 2, reinterpret_cast<std::byte*>(&scale));
  EXPECT_EQ(scale, 0xCA00);  // -12

  Bytes q80(34, std::byte{0});
  q80[2] = std::byte{0x80};  // -128
  q80[3] = std::byte{0xFF};  // -1
  q80[4] = std::byte{0x7F};  // 127
  uint8_t codes[32] = {};
  PlaneFromBlocks(Scheme::kQ80, q80.data(), 1, 0, reinterpret_cast<std::byte*>(codes));
  EXPECT_EQ(codes[0], 0);
  EXPECT_EQ(codes[1], 127);
  EXPECT_EQ(codes[2], 255);
  EXPECT_EQ(codes[3], 128);
}

TEST(RecodeTest, EveryTypeHasItsTwin) {
  size_t twins = 0;
  for (const GgmlType& ggml : GgmlTypes()) {
    twins += MlxTwin(ggml.encoding.scheme) ? 1 : 0;
  }
  EXPECT_EQ(twins, Types().size());
  for (const Type& type : Types()) {
    EXPECT_EQ(MlxTwin(type.scheme), type.twin) << SchemeName(type.scheme);
  }
}

TEST(RecodeTest, PlanesHaveTheNumbersOfBlocks) {
  for (const Type& type : Types()) {
    SCOPED_TRACE(SchemeName(type.scheme));
    const Bytes blocks = RandomBlocks(type, kBlocks);
    ASSERT_EQ(FirstUncarried(type.scheme, blocks.data(), kBlocks), std::nullopt);
    const std::vector<float> wanted = DecodeBlocks(type.scheme, blocks);
    ExpectEqual(DecodeMlx(type.twin, PlanesFrom(type, blocks), wanted.size()), wanted);
  }
}

// Of K formats: codes as they were, scales and minima within half a step of F16.
TEST(RecodeTest, SubBlocksKeepTheirCodes) {
  for (const auto& [scheme, bits] : {std::pair{Scheme::kQ4K, 4}, std::pair{Scheme::kQ5K, 5}}) {
    SCOPED_TRACE(SchemeName(scheme));
    const Encoding mlx = Affine(static_cast<uint8_t>(bits), 32, DType::kF16);
    EXPECT_EQ(MlxTwin(scheme), std::nullopt);
    ASSERT_EQ(MlxNeighbour(scheme), mlx);
    Type type{scheme, {0, 2}, 0x640F, mlx};
    const Bytes blocks = RandomBlocks(type, kBlocks);
    ASSERT_EQ(FirstUncarried(scheme, blocks.data(), kBlocks), std::nullopt);
    const std::vector<float> wanted = DecodeBlocks(scheme, blocks);
    const Planes planes = PlanesFrom(type, blocks);
    const std::vector<float> got = DecodeMlx(mlx, planes, wanted.size());
    std::vector<float> biases(wanted.size() / 32);
    Convert(DType::kF16, planes[2].data(), DType::kF32, reinterpret_cast<std::byte*>(biases.data()),
            biases.size());
    for (size_t i = 0; i < wanted.size(); ++i) {
      const float bias = std::fabs(biases[i / 32]);
      const float bound = (std::fabs(wanted[i]) + 2 * bias) * 0x1.01p-11F;
      ASSERT_LE(std::fabs(got[i] - wanted[i]), bound) << "element " << i;
    }
    for (const size_t at : type.halves) {
      for (const int half : {0x6410, 0xE410, 0x7C00, 0x7E00}) {
        Bytes bad = blocks;
        SetHalf(bad.data() + 100 * FindGgmlType(scheme).bytes + at, static_cast<uint16_t>(half));
        EXPECT_EQ(FirstUncarried(scheme, bad.data(), kBlocks), 100U);
      }
    }
  }
}

TEST(RecodeTest, BlocksComeBackByteForByte) {
  for (const Type& type : Types()) {
    SCOPED_TRACE(SchemeName(type.scheme));
    const Bytes blocks = RandomBlocks(type, kBlocks);
    const Planes planes = PlanesFrom(type, blocks);
    const std::optional<Scheme> twin = TwinOf(type.twin, planes);
    ASSERT_TRUE(twin);
    const uint64_t elements = kBlocks * FindGgmlType(type.scheme).block;
    const Bytes back =
        BlocksFrom(type.twin, *twin, planes, 0, elements / FindGgmlType(*twin).block);
    if (type.scheme == Scheme::kTq10 || type.scheme == Scheme::kTq20) {
      EXPECT_EQ(*twin, Scheme::kQ20);
      ExpectEqual(DecodeBlocks(*twin, back), DecodeBlocks(type.scheme, blocks));
    } else {
      EXPECT_EQ(*twin, type.scheme);
      EXPECT_EQ(back, blocks);
    }
  }
}

TEST(RecodeTest, WhatCannotBeCarriedIsFound) {
  for (const Type& type : Types()) {
    SCOPED_TRACE(SchemeName(type.scheme));
    const GgmlType& ggml = FindGgmlType(type.scheme);
    const Bytes good = RandomBlocks(type, kBlocks);
    const size_t at_100 = size_t{100} * ggml.bytes;
    const auto expect_refused = [&](const Bytes& blocks) {
      EXPECT_EQ(FirstUncarried(type.scheme, blocks.data(), kBlocks), 100U);
      Bytes out(PlaneSize(type.twin, kBlocks * ggml.block, 1));
      try {
        PlaneFromBlocks(type.scheme, blocks.data(), kBlocks, 1, out.data());
        FAIL() << "not refused";
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kInvalid);
      }
    };
    for (const size_t at : type.halves) {
      for (const int bits : {type.largest + 1, 0x7C00, 0x7C01, 0x7FFF, 0xFC00, 0xFE00}) {
        Bytes blocks = good;
        SetHalf(blocks.data() + at_100 + at, static_cast<uint16_t>(bits));
        expect_refused(blocks);
      }
    }
    Bytes blocks = good;
    if (type.scheme == Scheme::kBlockMxfp4) {
      blocks[at_100] = std::byte{255};
      expect_refused(blocks);
    }
    for (size_t s = 0; s < 4 && type.scheme == Scheme::kBlockNvfp4; ++s) {
      for (const int scale : {0x7F, 0x80, 0xB0, 0xFF}) {
        blocks = good;
        blocks[at_100 + s] = static_cast<std::byte>(scale);
        expect_refused(blocks);
      }
    }
  }
}

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

TEST(RecodeTest, EveryAffineEncoding) {
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

TEST(RecodeTest, ScalesThatF16DoesNotHave) {
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

TEST(RecodeTest, ScalesAtTheEdgesOfF16) {
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

TEST(RecodeTest, SmallFloatScalesThatMeanAnotherNumber) {
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

TEST(RecodeTest, WhatIsNeverPossibleIsAnInternalError) {
  const AffineTensor tensor(6, 64, DType::kF16);
  EXPECT_THROW(BlocksFrom(tensor.encoding, Scheme::kQ41, tensor.planes, 0, 1), Error);
  EXPECT_THROW(FirstUncarried(Scheme::kQ6K, nullptr, 0), Error);
}

}  // namespace
}  // namespace lbrx
