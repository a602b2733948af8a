#include "quant/packed/runs.h"

#include <algorithm>
#include <array>

#include "core/base/checked.h"
#include "quant/packed/bits.h"

namespace lbrx {
namespace {

constexpr uint64_t kScalesInBlock = 256;

// What codes stand for, in f32 as bitsandbytes has them.
constexpr std::array<float, 16> kNf4Values = {
    -1.0F,
    -0.6961928009986877F,
    -0.5250730514526367F,
    -0.39491748809814453F,
    -0.28444138169288635F,
    -0.18477343022823334F,
    -0.09105003625154495F,
    0.0F,
    0.07958029955625534F,
    0.16093020141124725F,
    0.24611230194568634F,
    0.33791524171829224F,
    0.44070982933044434F,
    0.5626170039176941F,
    0.7229568362236023F,
    1.0F,
};
constexpr std::array<float, 8> kFp4Magnitudes = {0.0F,      0.0625F / 12, 8.0F / 12, 12.0F / 12,
                                                 4.0F / 12, 6.0F / 12,    2.0F / 12, 3.0F / 12};

class RunDecoder final : public TileDecoder {
 public:
  explicit RunDecoder(PackedMatrix from) : TileDecoder(std::move(from)) {
    for (size_t code = 0; code < values_.size(); ++code) {
      const float magnitude = kFp4Magnitudes[code % 8];
      values_[code] = encoding().scheme == Scheme::kNf4 ? kNf4Values[code]
                      : code < 8                        ? magnitude
                                                        : -magnitude;
    }
  }

  PlanePart Part(size_t plane, const Tile& tile) const override {
    const uint64_t end = tile.column + tile.columns;
    switch (plane) {
      case 0:
        return Run(tile.column / 2, CeilDiv(end, 2), 1, CeilDiv(matrix().columns, 2));
      case 1:
        return Run(FirstBlock(tile), CeilDiv(end, encoding().group),
                   Info(matrix().dtypes[1]).bits / 8, Blocks());
      case 2:
        return Run(FirstBlock(tile) / kScalesInBlock,
                   CeilDiv(CeilDiv(end, encoding().group), kScalesInBlock), 4,
                   CeilDiv(Blocks(), kScalesInBlock));
      default:
        return Run(0, 256, 4, 256);
    }
  }

  void Decode(const Tile& tile, std::span<const std::byte* const> parts, float* scratch,
              std::byte* out) const override {
    const uint64_t end = tile.column + tile.columns;
    for (uint64_t at = tile.column; at < end;) {
      const uint64_t block = at / encoding().group;
      const uint64_t stop = std::min(end, (block + 1) * encoding().group);
      const float scale = ScaleOf(tile, block, parts);
      for (; at < stop; ++at) {
        const auto byte = static_cast<uint8_t>(parts[0][at / 2 - tile.column / 2]);
        scratch[at - tile.column] = values_[at % 2 == 0 ? byte >> 4 : byte & 0xF] * scale;
      }
    }
    Convert(DType::kF32, reinterpret_cast<const std::byte*>(scratch), encoding().dtype, out,
            tile.columns);
  }

 private:
  const Encoding& encoding() const { return matrix().encoding; }

  static PlanePart Run(uint64_t first, uint64_t end, uint64_t width, uint64_t all) {
    return {0, 1, first * width, (end - first) * width, all * width};
  }

  uint64_t FirstBlock(const Tile& tile) const { return tile.column / encoding().group; }

  uint64_t Blocks() const { return CeilDiv(matrix().columns, encoding().group); }

  float ScaleOf(const Tile& tile, uint64_t block, std::span<const std::byte* const> parts) const {
    const uint64_t index = block - FirstBlock(tile);
    if (!encoding().extended) {
      return LoadScale(matrix().dtypes[1], parts[1], index);
    }
    const float coded = LoadScale(DType::kF32, parts[3], static_cast<uint8_t>(parts[1][index]));
    const uint64_t outer = block / kScalesInBlock - FirstBlock(tile) / kScalesInBlock;
    return coded * LoadScale(DType::kF32, parts[2], outer) + encoding().offset;
  }

  std::array<float, 16> values_{};
};

}  // namespace

std::unique_ptr<const TileDecoder> MakeRunDecoder(PackedMatrix matrix) {
  return std::make_unique<RunDecoder>(std::move(matrix));
}

}  // namespace lbrx
