#include "quant/packed/rows.h"

#include <algorithm>
#include <array>

#include "core/base/checked.h"
#include "quant/packed/bits.h"

namespace lbrx {
namespace {

constexpr uint64_t kScalePlane = 1;

// 1 / 127 as bitsandbytes multiplies by it.
constexpr float kBnbReciprocal = 7.874015718698502e-3F;

std::array<float, 256> TableOf(DType dtype) {
  std::array<float, 256> table{};
  for (size_t code = 0; code < table.size(); ++code) {
    const auto byte = static_cast<uint8_t>(code);
    switch (dtype) {
      case DType::kF8E4M3:
        table[code] = F8E4M3ToFloat(byte);
        break;
      case DType::kF8E5M2:
        table[code] = F8E5M2ToFloat(byte);
        break;
      default:
        table[code] = static_cast<float>(static_cast<int8_t>(byte));
        break;
    }
  }
  return table;
}

class RowDecoder final : public TileDecoder {
 public:
  explicit RowDecoder(PackedMatrix from)
      : TileDecoder(std::move(from)), scheme_(encoding().scheme), bits_(encoding().bits) {
    if (bits_ == 8 && scheme_ != Scheme::kPackedInt) {
      bytes_ = TableOf(matrix().dtypes[0]);
    }
  }

  PlanePart Part(size_t plane, const Tile& tile) const override {
    if (plane == 0) {
      return CodePart(tile);
    }
    const uint64_t group = GroupColumns();
    const uint64_t first = tile.column / group;
    const uint64_t last = (tile.column + tile.columns - 1) / group;
    const uint64_t width = Info(matrix().dtypes[plane]).bits / 8;
    const uint64_t row_bytes = ScaleColumns(encoding(), matrix().columns) * width;
    if (plane == kScalePlane) {
      const uint64_t rows = GroupRows();
      const uint64_t first_row = tile.row / rows;
      return {first_row, (tile.row + tile.rows - 1) / rows + 1 - first_row, first * width,
              (last + 1 - first) * width, row_bytes};
    }
    if (scheme_ == Scheme::kNvfp4Two) {
      return {0, 1, 0, width, width};
    }
    const uint64_t first_word = tile.row * bits_ / 32;  // zero points: packed down the rows
    return {first_word, CeilDiv((tile.row + tile.rows) * bits_, 32) - first_word, first * width,
            (last + 1 - first) * width, row_bytes};
  }

  void Decode(const Tile& tile, std::span<const std::byte* const> parts, float* scratch,
              std::byte* out) const override {
    const float divisor =
        scheme_ == Scheme::kNvfp4Two ? LoadScale(matrix().dtypes[2], parts[2], 0) : 1;
    const uint64_t width = Info(encoding().dtype).bits / 8;
    for (uint64_t r = 0; r < tile.rows; ++r) {
      DecodeRow(tile, r, parts, divisor, scratch);
      Convert(DType::kF32, reinterpret_cast<const std::byte*>(scratch), encoding().dtype,
              out + r * tile.columns * width, tile.columns);
    }
  }

 private:
  const Encoding& encoding() const { return matrix().encoding; }

  // Columns and rows that share a scale.
  uint64_t GroupColumns() const {
    return encoding().group == 0 ? matrix().columns : encoding().group;
  }

  uint64_t GroupRows() const {
    return encoding().group_rows == 0 ? matrix().rows : encoding().group_rows;
  }

  PlanePart CodePart(const Tile& tile) const {
    // Packed integers come in whole words, everything else in bytes.
    const uint64_t unit = scheme_ == Scheme::kPackedInt ? 32 : 8;
    const uint64_t first = tile.column * bits_ / unit;
    const uint64_t end = CeilDiv((tile.column + tile.columns) * bits_, unit);
    return {tile.row, tile.rows, first * unit / 8, (end - first) * unit / 8,
            CeilDiv(matrix().columns * bits_, unit) * unit / 8};
  }

  void DecodeRow(const Tile& tile, uint64_t r, std::span<const std::byte* const> parts,
                 float divisor, float* values) const {
    const uint64_t group = GroupColumns();
    const PlanePart scales = Part(kScalePlane, tile);
    const std::byte* row_scales =
        parts[kScalePlane] + ((tile.row + r) / GroupRows() - scales.first_row) * scales.bytes;
    const DType scale_dtype = matrix().dtypes[kScalePlane];
    const uint64_t end = tile.column + tile.columns;
    for (uint64_t column = tile.column; column < end;) {
      const uint64_t index = column / group - tile.column / group;
      const uint64_t stop = std::min(end, (column / group + 1) * group);
      const float scale = LoadScale(scale_dtype, row_scales, index) / divisor;
      const std::byte* zeros = encoding().extended ? parts[2] : nullptr;
      const int32_t zero = ZeroPoint(tile, tile.row + r, index, zeros);
      float* run = values + (column - tile.column);
      DecodeCodes(tile, r, parts[0], column, stop, zero, run);
      for (uint64_t i = 0; i < stop - column; ++i) {
        run[i] *= scale;
      }
      if (scheme_ == Scheme::kBnbInt8) {
        for (uint64_t i = 0; i < stop - column; ++i) {
          run[i] *= kBnbReciprocal;
        }
      }
      column = stop;
    }
  }

  // Packed integers are stored plus half their range, codes and zero points alike: it cancels out.
  int32_t ZeroPoint(const Tile& tile, uint64_t row, uint64_t index, const std::byte* zeros) const {
    if (scheme_ != Scheme::kPackedInt) {
      return 0;
    }
    if (zeros == nullptr) {
      return int32_t{1} << (bits_ - 1);
    }
    const PlanePart part = Part(2, tile);
    return static_cast<int32_t>(
        CodeAt(zeros + index * 4, part.bytes, part.first_row, row * bits_, bits_));
  }

  // Codes [column, stop) of row `r` of the tile, less `zero`.
  void DecodeCodes(const Tile& tile, uint64_t r, const std::byte* codes, uint64_t column,
                   uint64_t stop, int32_t zero, float* out) const {
    const PlanePart part = CodePart(tile);
    const std::byte* row = codes + r * part.bytes;
    if (scheme_ == Scheme::kPackedInt) {
      for (uint64_t c = column; c < stop; ++c) {
        const uint32_t code = CodeAt(row, 4, part.first_byte / 4, c * bits_, bits_);
        out[c - column] = static_cast<float>(static_cast<int32_t>(code) - zero);
      }
    } else if (bits_ == 4) {
      for (uint64_t c = column; c < stop; ++c) {
        const auto byte = static_cast<uint8_t>(row[c / 2 - part.first_byte]);
        out[c - column] = F4ToFloat(c % 2 == 0 ? byte & 0xF : byte >> 4);
      }
    } else {
      for (uint64_t c = column; c < stop; ++c) {
        out[c - column] = bytes_[static_cast<uint8_t>(row[c - part.first_byte])];
      }
    }
  }

  Scheme scheme_;
  uint32_t bits_;
  std::array<float, 256> bytes_{};  // what a byte stands for
};

}  // namespace

std::unique_ptr<const TileDecoder> MakeRowDecoder(PackedMatrix matrix) {
  return std::make_unique<RowDecoder>(std::move(matrix));
}

}  // namespace lbrx
