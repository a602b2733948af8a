#include "quant/packed/columns.h"

#include <algorithm>
#include <array>

#include "core/base/checked.h"
#include "core/base/error.h"
#include "core/base/format.h"
#include "quant/packed/bits.h"

namespace lbrx {
namespace {

constexpr size_t kCodes = 0;
constexpr size_t kScales = 1;
constexpr size_t kZeros = 2;
constexpr size_t kGroups = 3;

// Where AWQ puts the k-th of eight neighbours in a word.
constexpr std::array<uint8_t, 8> kAwqPlace = {0, 4, 1, 5, 2, 6, 3, 7};

// What GPTQModel adds to words of zero points to get from v1 to v2: 1 to each of their codes. For 3
// bits, whose codes cross words, it takes these three in turn, on writing and on reading.
uint32_t WordOfOnes(uint32_t bits, uint64_t word) {
  constexpr std::array<uint32_t, 3> kThree = {0x24924924, 0x92492492, 0x49249249};
  switch (bits) {
    case 2:
      return 0x55555555;
    case 3:
      return kThree[word % 3];
    case 4:
      return 0x11111111;
    default:
      return 0x01010101;
  }
}

class ColumnDecoder final : public TileDecoder {
 public:
  explicit ColumnDecoder(PackedMatrix from)
      : TileDecoder(std::move(from)),
        awq_(encoding().scheme == Scheme::kAwq),
        bits_(encoding().bits),
        group_(encoding().group == 0 ? matrix().columns : encoding().group),
        groups_(ScaleColumns(encoding(), matrix().columns)) {}

  PlanePart Part(size_t plane, const Tile& tile) const override {
    // Of what is packed along the rows of the values: whole words.
    const uint64_t first_word = tile.row * bits_ / 32;
    const uint64_t words = CeilDiv((tile.row + tile.rows) * bits_, 32) - first_word;
    const uint64_t row_words = CeilDiv(matrix().rows * bits_, 32);
    const uint64_t first_group = encoding().extended ? 0 : tile.column / group_;
    const uint64_t groups =
        encoding().extended ? groups_ : (tile.column + tile.columns - 1) / group_ + 1 - first_group;
    switch (plane) {
      case kCodes: {
        if (awq_) {
          return {tile.column, tile.columns, first_word * 4, words * 4, row_words * 4};
        }
        const uint64_t first_row = tile.column * bits_ / 32;
        return {first_row, CeilDiv((tile.column + tile.columns) * bits_, 32) - first_row,
                tile.row * 4, tile.rows * 4, matrix().rows * 4};
      }
      case kScales: {
        const uint64_t width = Info(matrix().dtypes[kScales]).bits / 8;
        return {first_group, groups, tile.row * width, tile.rows * width, matrix().rows * width};
      }
      case kZeros:
        return {first_group, groups, first_word * 4, words * 4, row_words * 4};
      default:
        return {0, 1, tile.column * 4, tile.columns * 4, matrix().columns * 4};
    }
  }

  uint64_t ScratchFloats(uint64_t columns) const override { return columns + 2 * groups_; }

  void Decode(const Tile& tile, std::span<const std::byte* const> parts, float* scratch,
              std::byte* out) const override {
    if (encoding().extended) {
      CheckGroups(tile, parts[kGroups]);
    }
    float* scales = scratch + tile.columns;
    float* zeros = scales + groups_;
    const uint64_t width = Info(encoding().dtype).bits / 8;
    for (uint64_t r = 0; r < tile.rows; ++r) {
      LoadGroups(tile, r, parts, scales, zeros);
      LoadCodes(tile, r, parts[kCodes], scratch);
      Scale(tile, parts, scales, zeros, scratch);
      Convert(DType::kF32, reinterpret_cast<const std::byte*>(scratch), encoding().dtype,
              out + r * tile.columns * width, tile.columns);
    }
  }

 private:
  const Encoding& encoding() const { return matrix().encoding; }

  void CheckGroups(const Tile& tile, const std::byte* indices) const {
    for (uint64_t c = 0; c < tile.columns; ++c) {
      const uint32_t group = LoadWord(indices + c * 4);
      if (group >= groups_) {
        throw Error(
            ErrorCode::kInvalid,
            {.file = "",
             .object = "",
             .what = Format("g_idx of column {} names a group that is not there", tile.column + c),
             .expected = Format("0 to {}", groups_ - 1),
             .found = std::to_string(static_cast<int32_t>(group)),
             .offset = {},
             .advice = ""});
      }
    }
  }

  // Scales and zero points of row `r` of the tile.
  void LoadGroups(const Tile& tile, uint64_t r, std::span<const std::byte* const> parts,
                  float* scales, float* zeros) const {
    const PlanePart scale_part = Part(kScales, tile);
    const PlanePart zero_part = Part(kZeros, tile);
    for (uint64_t g = 0; g < scale_part.rows; ++g) {
      scales[g] = LoadScale(matrix().dtypes[kScales], parts[kScales] + g * scale_part.bytes, r);
      zeros[g] = static_cast<float>(
          ZeroPoint(parts[kZeros] + g * zero_part.bytes, zero_part.first_byte / 4, tile.row + r));
    }
  }

  uint32_t ZeroPoint(const std::byte* words, uint64_t first_word, uint64_t row) const {
    if (awq_) {
      return LoadWord(words + (row / 8 - first_word) * 4) >> (4 * kAwqPlace[row % 8]) & 0xF;
    }
    const uint64_t position = row * bits_;
    if (encoding().zero_rule != ZeroRule::kWordPlusOne) {
      const uint32_t stored = CodeAt(words, 4, first_word, position, bits_);
      const uint32_t added = encoding().zero_rule == ZeroRule::kPlusOne ? 1 : 0;
      return (stored + added) & ((uint32_t{1} << bits_) - 1);
    }
    std::array<uint32_t, 2> pair{};
    const uint64_t word = position / 32;
    for (uint64_t i = 0; i < (position % 32 + bits_ > 32 ? 2 : 1); ++i) {
      pair[i] = LoadWord(words + (word + i - first_word) * 4) + WordOfOnes(bits_, word + i);
    }
    return CodeAt(reinterpret_cast<const std::byte*>(pair.data()), 4, word, position, bits_);
  }

  void LoadCodes(const Tile& tile, uint64_t r, const std::byte* codes, float* out) const {
    const PlanePart part = Part(kCodes, tile);
    if (awq_) {
      const uint64_t row = tile.row + r;
      const std::byte* word = codes + row / 8 * 4 - part.first_byte;
      const uint32_t shift = 4 * kAwqPlace[row % 8];
      for (uint64_t c = 0; c < tile.columns; ++c, word += part.bytes) {
        out[c] = static_cast<float>(LoadWord(word) >> shift & 0xF);
      }
      return;
    }
    const std::byte* column = codes + r * 4;
    for (uint64_t c = 0; c < tile.columns; ++c) {
      out[c] = static_cast<float>(
          CodeAt(column, part.bytes, part.first_row, (tile.column + c) * bits_, bits_));
    }
  }

  void Scale(const Tile& tile, std::span<const std::byte* const> parts, const float* scales,
             const float* zeros, float* values) const {
    if (encoding().extended) {
      for (uint64_t c = 0; c < tile.columns; ++c) {
        const uint32_t group = LoadWord(parts[kGroups] + c * 4);
        values[c] = (values[c] - zeros[group]) * scales[group];
      }
      return;
    }
    const uint64_t end = tile.column + tile.columns;
    for (uint64_t column = tile.column; column < end;) {
      const uint64_t stop = std::min(end, (column / group_ + 1) * group_);
      const uint64_t group = column / group_ - tile.column / group_;
      for (; column < stop; ++column) {
        float& value = values[column - tile.column];
        value = (value - zeros[group]) * scales[group];
      }
    }
  }

  bool awq_;
  uint32_t bits_;
  uint64_t group_;   // columns that share a scale
  uint64_t groups_;  // in a row
};

}  // namespace

std::unique_ptr<const TileDecoder> MakeColumnDecoder(PackedMatrix matrix) {
  return std::make_unique<ColumnDecoder>(std::move(matrix));
}

}  // namespace lbrx
