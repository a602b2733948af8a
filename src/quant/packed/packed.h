// Decoding what other quantizers packed (core/tensor/packed.h), a tile of a matrix at a time: their
// planes are often packed down the columns, so a run of rows comes from rectangles of planes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/tensor/packed.h"

namespace lbrx {

// Elements of columns [column, column + columns) in rows [row, row + rows) of a matrix [out, in].
struct Tile {
  uint64_t row = 0;
  uint64_t rows = 0;
  uint64_t column = 0;
  uint64_t columns = 0;
};

// A matrix as it is stored. kNf4 and kBnbFp4 are runs: a matrix of one row.
struct PackedMatrix {
  Encoding encoding;
  uint64_t rows = 0;
  uint64_t columns = 0;
  std::vector<DType> dtypes;  // of the planes, as stored
};

// Bytes [first_byte, first_byte + bytes) of rows [first_row, first_row + rows) of a plane, whose
// rows are `row_bytes` long.
struct PlanePart {
  uint64_t first_row = 0;
  uint64_t rows = 0;
  uint64_t first_byte = 0;
  uint64_t bytes = 0;
  uint64_t row_bytes = 0;
};

class TileDecoder {
 public:
  virtual ~TileDecoder() = default;

  // What of plane `plane` the tile's values need. Depends on tile sizes monotonously.
  virtual PlanePart Part(size_t plane, const Tile& tile) const = 0;

  // Decodes a tile to encoding.dtype, row by row into `out`: products are formed in f32 and rounded
  // once. `parts` are the rows of each Part one after another, `scratch` is ScratchFloats() long.
  // kInvalid where planes contradict themselves (an index beyond the groups).
  virtual void Decode(const Tile& tile, std::span<const std::byte* const> parts, float* scratch,
                      std::byte* out) const = 0;

  const PackedMatrix& matrix() const { return matrix_; }

  // Floats of scratch for tiles of `columns`.
  virtual uint64_t ScratchFloats(uint64_t columns) const { return columns; }

 protected:
  explicit TileDecoder(PackedMatrix matrix) : matrix_(std::move(matrix)) {}

 private:
  PackedMatrix matrix_;
};

// For an encoding that is not writable. The matrix's planes must have the shapes of PackedPlanes.
std::unique_ptr<const TileDecoder> MakeTileDecoder(PackedMatrix matrix);

}  // namespace lbrx
