#include "stream/packed.h"

#include <algorithm>
#include <array>

#include "core/base/format.h"
#include "quant/packed/packed.h"

namespace lbrx {
namespace {

// kNf4 and kBnbFp4 are one run of elements; everything else is a matrix, or several of one shape.
bool IsRun(const Encoding& encoding) {
  return encoding.scheme == Scheme::kNf4 || encoding.scheme == Scheme::kBnbFp4;
}

PackedMatrix MatrixOf(const Checkpoint& checkpoint, const SourceTensor& tensor,
                      const Shape& stored) {
  PackedMatrix matrix{.encoding = tensor.encoding, .rows = 1, .columns = 0, .dtypes = {}};
  const bool run = IsRun(tensor.encoding);
  matrix.rows = run ? 1 : stored[stored.rank() - 2];
  matrix.columns = run ? stored.elements() : stored.back();
  for (const uint32_t plane : tensor.planes) {
    matrix.dtypes.push_back(checkpoint.arrays[plane].dtype);
  }
  return matrix;
}

class PackedValue final : public Value {
 public:
  PackedValue(const SourceFiles::Checkpoints& sources, uint32_t source, const SourceTensor& tensor,
              const Shape& stored)
      : Value(tensor.encoding.dtype, stored),
        checkpoint_(*sources[source]),
        tensor_(tensor),
        source_(source),
        decoder_(MakeTileDecoder(MatrixOf(checkpoint_, tensor, stored))),
        matrices_(stored.elements() / MatrixElements()) {}

  uint64_t granule() const override { return 1; }

  uint64_t WorkingBytes(uint64_t count) const override {
    // A tile that begins as badly as one can: in the last element of a group and of a word.
    const Encoding& encoding = tensor_.encoding;
    Tile worst;
    worst.row = 32 * uint64_t{std::max<uint16_t>(encoding.group_rows, 1)} - 1;
    worst.rows = std::max<uint64_t>(count / columns(), 1);
    worst.columns = std::min(count, columns());
    worst.column =
        worst.columns == columns() ? 0 : 64 * uint64_t{std::max<uint16_t>(encoding.group, 1)} - 1;
    uint64_t bytes = Pool::ClassSize(decoder_->ScratchFloats(worst.columns) * sizeof(float));
    for (size_t i = 0; i < tensor_.planes.size(); ++i) {
      const PlanePart part = decoder_->Part(i, worst);
      bytes += Pool::ClassSize((part.rows + 1) * (part.bytes + 8));
    }
    return bytes;
  }

  uint64_t SourceBytes() const override {
    uint64_t bytes = 0;
    for (const uint32_t plane : tensor_.planes) {
      bytes += checkpoint_.arrays[plane].bytes;
    }
    return bytes;
  }

  void Read(ReadContext& context, uint64_t first, uint64_t count, std::byte* out) const override {
    std::byte* at = out;
    ForEachTile(first, count, [&](uint64_t matrix, const Tile& tile) {
      ReadTile(context, matrix, tile, at);
      at += ElementBytes(dtype(), tile.rows * tile.columns);
    });
    CheckFinite(context, dtype(), out, first, count, /*from_cast=*/false);
  }

  void WillNeed(SourceFiles& files, uint64_t first, uint64_t count) const override {
    ForEachTile(first, count, [&](uint64_t matrix, const Tile& tile) {
      for (size_t i = 0; i < tensor_.planes.size(); ++i) {
        const PlanePart part = decoder_->Part(i, tile);
        if (part.rows == 1 || part.bytes == part.row_bytes) {  // else too scattered
          files.WillNeed(source_, Plane(i), Offset(i, matrix, part), part.rows * part.bytes);
        }
      }
    });
  }

  std::string Describe() const override {
    return Format("decode({}, {}, {}, {}{})", source_, tensor_.name, SchemeLabel(tensor_.encoding),
                  Name(dtype()), shape().ToString());
  }

 private:
  static constexpr size_t kMostPlanes = 4;

  uint64_t columns() const { return decoder_->matrix().columns; }

  uint64_t MatrixElements() const { return decoder_->matrix().rows * columns(); }

  const StoredArray& Plane(size_t i) const { return checkpoint_.arrays[tensor_.planes[i]]; }

  // Where a part begins in its array.
  uint64_t Offset(size_t i, uint64_t matrix, const PlanePart& part) const {
    return Plane(i).bytes / matrices_ * matrix + part.first_row * part.row_bytes + part.first_byte;
  }

  // Cuts a run of elements into what is left of a row, whole rows of one matrix, part of a row.
  template <typename Function>
  void ForEachTile(uint64_t first, uint64_t count, Function function) const {
    for (const uint64_t end = first + count; first < end;) {
      const uint64_t matrix = first / MatrixElements();
      const uint64_t in_matrix = first % MatrixElements();
      Tile tile{in_matrix / columns(), 1, in_matrix % columns(), 0};
      tile.columns = std::min(columns() - tile.column, end - first);
      if (tile.columns == columns()) {
        tile.rows = std::min((end - first) / columns(), decoder_->matrix().rows - tile.row);
      }
      function(matrix, tile);
      first += tile.rows * tile.columns;
    }
  }

  void ReadTile(ReadContext& context, uint64_t matrix, const Tile& tile, std::byte* out) const {
    std::array<Pool::Buffer, kMostPlanes> buffers;
    std::array<const std::byte*, kMostPlanes> parts{};
    for (size_t i = 0; i < tensor_.planes.size(); ++i) {
      const PlanePart part = decoder_->Part(i, tile);
      buffers[i] = context.pool.Get(part.rows * part.bytes);
      ReadPart(context, i, Offset(i, matrix, part), part, buffers[i]);
      parts[i] = buffers[i].data();
    }
    Pool::Buffer scratch = context.pool.Get(decoder_->ScratchFloats(tile.columns) * sizeof(float));
    try {
      decoder_->Decode(tile, {parts.data(), tensor_.planes.size()},
                       reinterpret_cast<float*>(scratch.data()), out);
    } catch (Error& error) {
      error.InFile(checkpoint_.files[Plane(0).file].path).InObject(tensor_.name);
      throw;
    }
  }

  void ReadPart(ReadContext& context, size_t i, uint64_t offset, const PlanePart& part,
                Pool::Buffer& out) const {
    if (part.rows == 1 || part.bytes == part.row_bytes) {
      context.files.Read(source_, Plane(i), offset, out.span());
      return;
    }
    for (uint64_t row = 0; row < part.rows; ++row) {
      context.files.Read(source_, Plane(i), offset + row * part.row_bytes,
                         out.span().subspan(row * part.bytes, part.bytes));
    }
  }

  const Checkpoint& checkpoint_;
  const SourceTensor& tensor_;
  uint32_t source_;
  std::unique_ptr<const TileDecoder> decoder_;
  uint64_t matrices_;
};

}  // namespace

ValuePtr LoadPacked(const SourceFiles::Checkpoints& sources, uint32_t source,
                    const SourceTensor& tensor, const Shape& stored) {
  return std::make_shared<PackedValue>(sources, source, tensor, stored);
}

}  // namespace lbrx
