// What the golden models (tests/data/prequantized) are too small for, and hostile planes.

#include "quant/packed/packed.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "core/base/error.h"

namespace lbrx {
namespace {

using Bytes = std::vector<std::byte>;

template <typename T>
Bytes BytesOf(const std::vector<T>& values) {
  Bytes bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// A tile of whole planes: each part is cut out as Part says.
std::vector<float> Decode(const TileDecoder& decoder, const Tile& tile,
                          const std::vector<Bytes>& planes) {
  std::vector<Bytes> parts;
  std::vector<const std::byte*> pointers;
  for (size_t i = 0; i < planes.size(); ++i) {
    const PlanePart part = decoder.Part(i, tile);
    Bytes cut;
    for (uint64_t row = part.first_row; row < part.first_row + part.rows; ++row) {
      const auto begin =
          planes[i].begin() + static_cast<ptrdiff_t>(row * part.row_bytes + part.first_byte);
      EXPECT_LE(row * part.row_bytes + part.first_byte + part.bytes, planes[i].size());
      cut.insert(cut.end(), begin, begin + static_cast<ptrdiff_t>(part.bytes));
    }
    parts.push_back(std::move(cut));
  }
  for (const Bytes& part : parts) {
    pointers.push_back(part.data());
  }
  std::vector<float> scratch(decoder.ScratchFloats(tile.columns));
  std::vector<float> out(tile.rows * tile.columns);
  decoder.Decode(tile, pointers, scratch.data(), reinterpret_cast<std::byte*>(out.data()));
  return out;
}

TEST(PackedDecodeTest, ScalesOfManyBlocksOfScales) {
  constexpr size_t kBlocks = 600;  // three blocks of scales
  constexpr size_t kSize = 32;
  std::mt19937 random(1);
  std::vector<uint8_t> codes(kBlocks * kSize / 2);
  std::vector<uint8_t> absmax(kBlocks);
  std::vector<float> map(256);
  for (uint8_t& code : codes) {
    code = static_cast<uint8_t>(random());
  }
  for (uint8_t& code : absmax) {
    code = static_cast<uint8_t>(random());
  }
  for (size_t i = 0; i < map.size(); ++i) {
    map[i] = static_cast<float>(i) / 128 - 1;
  }
  const std::vector<float> nested = {1, 2, 4};
  Encoding encoding{Scheme::kNf4, 4, kSize, DType::kF32};
  encoding.extended = true;
  encoding.offset = 0.5F;
  const auto decoder = MakeTileDecoder(
      {encoding, 1, kBlocks * kSize, {DType::kU8, DType::kU8, DType::kF32, DType::kF32}});
  const std::vector<Bytes> planes = {BytesOf(codes), BytesOf(absmax), BytesOf(nested),
                                     BytesOf(map)};
  // The code of 1 is 15, of -1 is 0, of 0 is 7: enough to tell the rest.
  const std::vector<float> all = Decode(*decoder, {0, 1, 0, kBlocks * kSize}, planes);
  for (size_t i = 0; i < all.size(); ++i) {
    const int code = i % 2 == 0 ? codes[i / 2] >> 4 : codes[i / 2] & 15;
    const float scale = map[absmax[i / kSize]] * nested[i / kSize / 256] + 0.5F;
    if (code == 0 || code == 7 || code == 15) {
      ASSERT_EQ(all[i], (code == 0 ? -1.0F : code == 7 ? 0.0F : 1.0F) * scale) << i;
    }
  }
  for (const uint64_t first : {uint64_t{1}, uint64_t{8191}, uint64_t{8300}, uint64_t{16383}}) {
    const std::vector<float> part = Decode(*decoder, {0, 1, first, 777}, planes);
    EXPECT_TRUE(std::equal(part.begin(), part.end(), all.begin() + static_cast<ptrdiff_t>(first)))
        << first;
  }
}

// One group of 8 rows and 32 columns; codes 0, scales 1: values are negated zero points.
std::vector<float> ZeroPoints(uint8_t bits, ZeroRule rule, const std::vector<uint32_t>& words) {
  Encoding encoding{Scheme::kGptq, bits, 32, DType::kF32};
  encoding.zero_rule = rule;
  const uint64_t rows = words.size() * 32 / bits;
  const auto decoder =
      MakeTileDecoder({encoding, rows, 32, {DType::kI32, DType::kF32, DType::kI32}});
  const std::vector<Bytes> planes = {BytesOf(std::vector<uint32_t>(bits * rows)),
                                     BytesOf(std::vector<float>(rows, 1)), BytesOf(words)};
  std::vector<float> zeros;
  for (uint64_t row = 0; row < rows; ++row) {
    zeros.push_back(-Decode(*decoder, {row, 1, 5, 1}, planes)[0]);
  }
  return zeros;
}

TEST(PackedDecodeTest, RulesOfZeroPoints) {
  const std::vector<uint32_t> full = {0xFFFFFFFF};
  EXPECT_EQ(ZeroPoints(4, ZeroRule::kStored, full), std::vector<float>(8, 15));
  EXPECT_EQ(ZeroPoints(4, ZeroRule::kPlusOne, full), std::vector<float>(8, 0));
  // 0xFFFFFFFF + 0x11111111: carries pass from one to the next.
  EXPECT_EQ(ZeroPoints(4, ZeroRule::kWordPlusOne, full),
            (std::vector<float>{0, 1, 1, 1, 1, 1, 1, 1}));
  // Three bits: the eleventh crosses into the second word.
  const std::vector<uint32_t> three = {0xC0000000, 0x00000001, 0};
  EXPECT_EQ(ZeroPoints(3, ZeroRule::kStored, three)[10], 7);
  EXPECT_EQ(ZeroPoints(3, ZeroRule::kPlusOne, three)[10], 0);
  EXPECT_EQ(ZeroPoints(3, ZeroRule::kPlusOne, three)[11], 1);
}

TEST(PackedDecodeTest, IndicesBeyondTheGroups) {
  Encoding encoding{Scheme::kGptq, 4, 32, DType::kF32};
  encoding.extended = true;
  const auto decoder =
      MakeTileDecoder({encoding, 8, 64, {DType::kI32, DType::kF32, DType::kI32, DType::kI32}});
  for (const int32_t index : {2, -1, 0x7FFFFFFF}) {
    std::vector<int32_t> indices(64, 1);
    indices[9] = index;
    const std::vector<Bytes> planes = {BytesOf(std::vector<uint32_t>(64)),
                                       BytesOf(std::vector<float>(16, 1)),
                                       BytesOf(std::vector<uint32_t>(2)), BytesOf(indices)};
    EXPECT_THROW(Decode(*decoder, {0, 8, 0, 64}, planes), Error) << index;
    EXPECT_NO_THROW(Decode(*decoder, {0, 8, 10, 54}, planes)) << index;
  }
}

}  // namespace
}  // namespace lbrx
