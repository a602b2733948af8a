// Codes of GGUF's blocks carried to MLX's planes and back, against the decoders of both sides: the
// numbers must be equal.
#include "quant/recode.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "core/base/error.h"
#include "quant/ggml_rows.h"
#include "quant/test_recode.h"

namespace lbrx {
namespace {

constexpr uint64_t kBlocks = 203;

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

}  // namespace
}  // namespace lbrx
