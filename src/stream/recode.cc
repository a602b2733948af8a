#include "stream/recode.h"

#include <algorithm>
#include <array>

#include "core/base/checked.h"
#include "core/base/error.h"
#include "core/base/format.h"
#include "core/tensor/ggml_types.h"
#include "quant/recode.h"

namespace lbrx {
namespace {

// What is held of a source's codes at once: a run of scales takes many times as many codes.
constexpr uint64_t kWindowBytes = uint64_t{128} << 10;

[[noreturn]] void Misuse(const Codes& codes) {
  throw Error(ErrorCode::kInternal, Format("{} planes of {} to recode", codes.planes.size(),
                                           SchemeLabel(codes.encoding)));
}

Shape WithLast(Shape shape, uint64_t last) {
  shape[shape.rank() - 1] = last;
  return shape;
}

// Elements of plane `plane` that a block has.
uint64_t ElementsOfBlock(const Encoding& mlx, size_t plane, const GgmlType& block) {
  return PlanesOf(mlx, Shape{1, block.block})[plane].shape.back();
}

// Calls `function(first, count)` for pieces of [0, total) of at most `most`.
template <typename Function>
void ForEachPiece(uint64_t total, uint64_t most, Function function) {
  for (uint64_t first = 0; first < total; first += most) {
    function(first, std::min(most, total - first));
  }
}

// A plane of MLX's, from blocks.
class PlaneOfBlocks final : public Value {
 public:
  PlaneOfBlocks(ValuePtr blocks, const Encoding& mlx, Scheme block, size_t plane,
                const Plane& described)
      : Value(described.dtype, described.shape),
        blocks_(std::move(blocks)),
        type_(FindGgmlType(block)),
        plane_(plane),
        granule_(ElementsOfBlock(mlx, plane, type_)) {}

  uint64_t granule() const override { return granule_; }

  uint64_t WorkingBytes(uint64_t count) const override {
    const uint64_t bytes = std::min(BlockBytes(count), BlocksAtOnce() * type_.bytes);
    return Pool::ClassSize(bytes) + blocks_->WorkingBytes(bytes);
  }

  // The other planes find the blocks in the system's cache.
  uint64_t SourceBytes() const override { return plane_ == 0 ? blocks_->SourceBytes() : 0; }

  void Read(ReadContext& context, uint64_t first, uint64_t count, std::byte* out) const override {
    const uint64_t bytes = BlockBytes(count);
    Pool::Buffer buffer = context.pool.Get(std::min(bytes, BlocksAtOnce() * type_.bytes));
    ForEachPiece(count / granule_, BlocksAtOnce(), [&](uint64_t block, uint64_t blocks) {
      blocks_->Read(context, BlockBytes(first) + block * type_.bytes, blocks * type_.bytes,
                    buffer.data());
      Put(buffer.data(), blocks, out + ElementBytes(dtype(), block * granule_));
    });
  }

  void WillNeed(SourceFiles& files, uint64_t first, uint64_t count) const override {
    blocks_->WillNeed(files, BlockBytes(first), BlockBytes(count));
  }

  std::string Describe() const override {
    return Format("plane({}, {}, {})", plane_, type_.name, blocks_->Describe());
  }

 private:
  uint64_t BlockBytes(uint64_t elements) const { return elements / granule_ * type_.bytes; }

  uint64_t BlocksAtOnce() const { return kWindowBytes / type_.bytes; }

  void Put(const std::byte* blocks, uint64_t count, std::byte* out) const {
    try {
      PlaneFromBlocks(type_.encoding.scheme, blocks, count, plane_, out);
    } catch (Error& error) {
      error.InObject(blocks_->Describe());
      throw;
    }
  }

  ValuePtr blocks_;
  const GgmlType& type_;
  size_t plane_;
  uint64_t granule_;
};

// Blocks, from MLX's planes.
class BlocksOfPlanes final : public Value {
 public:
  BlocksOfPlanes(Codes codes, const GgmlType& type)
      : Value(DType::kU8, WithLast(codes.planes[0]->shape(), codes.planes[0]->shape().back() * 32 /
                                                                 codes.encoding.bits / type.block *
                                                                 type.bytes)),
        codes_(std::move(codes)),
        type_(type) {}

  uint64_t granule() const override { return type_.bytes; }

  uint64_t WorkingBytes(uint64_t count) const override {
    uint64_t bytes = 0;
    uint64_t most = 0;
    const uint64_t elements = std::min(count / type_.bytes, BlocksAtOnce()) * type_.block;
    for (size_t i = 0; i < codes_.planes.size(); ++i) {
      const Run run = RunOf(i, codes_.encoding.group - 1, elements);
      bytes += Pool::ClassSize(ElementBytes(codes_.planes[i]->dtype(), run.count));
      most = std::max(most, codes_.planes[i]->WorkingBytes(run.count));
    }
    return bytes + most;
  }

  uint64_t SourceBytes() const override {
    uint64_t bytes = 0;
    for (const ValuePtr& plane : codes_.planes) {
      bytes += plane->SourceBytes();
    }
    return bytes;
  }

  void Read(ReadContext& context, uint64_t first, uint64_t count, std::byte* out) const override {
    ForEachPiece(count / type_.bytes, BlocksAtOnce(), [&](uint64_t block, uint64_t blocks) {
      ReadPiece(context, first / type_.bytes + block, blocks, out + block * type_.bytes);
    });
  }

  void WillNeed(SourceFiles& files, uint64_t first, uint64_t count) const override {
    for (size_t i = 0; i < codes_.planes.size(); ++i) {
      const Run run =
          RunOf(i, first / type_.bytes * type_.block, count / type_.bytes * type_.block);
      codes_.planes[i]->WillNeed(files, run.first, run.count);
    }
  }

  std::string Describe() const override {
    std::string text = Format("blocks({}, {}", type_.name, SchemeLabel(codes_.encoding));
    for (const ValuePtr& plane : codes_.planes) {
      text += ", " + plane->Describe();
    }
    return text + ")";
  }

 private:
  struct Run {
    uint64_t first;
    uint64_t count;
  };

  uint64_t BlocksAtOnce() const { return kWindowBytes / type_.bytes; }

  // Where a plane has the tensor's elements [first, first + count), whole blocks.
  Run RunOf(size_t plane, uint64_t first, uint64_t count) const {
    const Encoding& mlx = codes_.encoding;
    if (plane == 0) {
      return {first / 32 * mlx.bits, count / 32 * mlx.bits};
    }
    const uint64_t begin = first / mlx.group;
    return {begin, CeilDiv(first + count, mlx.group) - begin};
  }

  void ReadPiece(ReadContext& context, uint64_t block, uint64_t blocks, std::byte* out) const {
    constexpr size_t kMostPlanes = 3;
    std::array<Pool::Buffer, kMostPlanes> buffers;
    std::array<const std::byte*, kMostPlanes> planes{};
    const uint64_t first = block * type_.block;
    for (size_t i = 0; i < codes_.planes.size(); ++i) {
      const Value& plane = *codes_.planes[i];
      const Run run = RunOf(i, first, blocks * type_.block);
      buffers[i] = context.pool.Get(ElementBytes(plane.dtype(), run.count));
      plane.Read(context, run.first, run.count, buffers[i].data());
      planes[i] = buffers[i].data();
    }
    try {
      BlocksFromPlanes({.mlx = codes_.encoding,
                        .block = type_.encoding.scheme,
                        .planes = {planes.data(), codes_.planes.size()},
                        .skip = first % codes_.encoding.group,
                        .count = blocks,
                        .blocks = out});
    } catch (Error& error) {
      error.InObject(codes_.planes[1]->Describe());
      throw;
    }
  }

  Codes codes_;
  const GgmlType& type_;
};

// Of the tensor, from the plane of its codes.
Shape ShapeOf(const Codes& codes) {
  const Shape& stored = codes.planes[0]->shape();
  if (IsBlock(codes.encoding.scheme)) {
    const GgmlType& type = FindGgmlType(codes.encoding.scheme);
    return WithLast(stored, stored.back() / type.bytes * type.block);
  }
  return WithLast(stored, stored.back() * 32 / codes.encoding.bits);
}

// Whether the planes are those of the encoding, and can be read from anywhere to anywhere.
void CheckPlanes(const Codes& codes) {
  if (codes.planes.empty() || codes.planes[0]->shape().rank() == 0) {
    Misuse(codes);
  }
  const std::vector<Plane> wanted = PlanesOf(codes.encoding, ShapeOf(codes));
  if (wanted.size() != codes.planes.size()) {
    Misuse(codes);
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    const Value& plane = *codes.planes[i];
    if (plane.dtype() != wanted[i].dtype || plane.shape() != wanted[i].shape ||
        plane.granule() != 1) {
      Misuse(codes);
    }
  }
}

}  // namespace

std::optional<Codes> CodesForMlx(const Codes& codes) {
  const Scheme block = codes.encoding.scheme;
  const std::optional<Encoding> twin = MlxTwin(block);
  const std::optional<Encoding> mlx = twin ? twin : MlxNeighbour(block);
  if (!mlx) {
    return std::nullopt;
  }
  CheckPlanes(codes);
  const Shape shape = ShapeOf(codes);
  if (!CanEncode(*mlx, shape)) {
    return std::nullopt;
  }
  Codes out{*mlx, {}};
  const std::vector<Plane> planes = PlanesOf(*mlx, shape);
  for (size_t i = 0; i < planes.size(); ++i) {
    out.planes.push_back(
        std::make_shared<PlaneOfBlocks>(codes.planes[0], *mlx, block, i, planes[i]));
  }
  return out;
}

Codes CodesForGguf(const Codes& codes, Scheme block) {
  CheckPlanes(codes);
  const GgmlType& type = FindGgmlType(block);
  if (!CanEncode(type.encoding, ShapeOf(codes))) {
    Misuse(codes);
  }
  return {type.encoding, {std::make_shared<BlocksOfPlanes>(codes, type)}};
}

bool CanCarryToMlx(const Codes& codes, SourceFiles& files, Pool& pool) {
  if (!CodesForMlx(codes)) {
    return false;
  }
  const Value& plane = *codes.planes[0];
  const GgmlType& type = FindGgmlType(codes.encoding.scheme);
  const uint64_t at_once = kWindowBytes / type.bytes;
  const uint64_t blocks = plane.shape().elements() / type.bytes;
  Pool::Buffer buffer = pool.Get(at_once * type.bytes);
  ReadContext context{files, pool, NonFinitePolicy::kKeep};
  for (uint64_t first = 0; first < blocks; first += at_once) {
    const uint64_t count = std::min(at_once, blocks - first);
    plane.Read(context, first * type.bytes, count * type.bytes, buffer.data());
    if (FirstUncarried(type.encoding.scheme, buffer.data(), count)) {
      return false;
    }
  }
  return true;
}

std::optional<Scheme> BlockTwinOf(const Codes& codes, SourceFiles& files, Pool& pool) {
  BlockTwinScan scan(codes.encoding);
  if (!scan.Twin()) {
    return std::nullopt;
  }
  CheckPlanes(codes);
  const bool biased = codes.planes.size() > 2;
  const DType dtype = codes.planes[1]->dtype();
  const uint64_t groups = codes.planes[1]->shape().elements();
  const uint64_t at_once = kWindowBytes / ElementBytes(dtype, 1);
  Pool::Buffer scales = pool.Get(kWindowBytes);
  Pool::Buffer biases = pool.Get(kWindowBytes);
  // Kept: the scan refuses what is not finite.
  ReadContext context{files, pool, NonFinitePolicy::kKeep};
  for (uint64_t first = 0; first < groups && scan.Twin(); first += at_once) {
    const uint64_t count = std::min(at_once, groups - first);
    codes.planes[1]->Read(context, first, count, scales.data());
    if (biased) {
      codes.planes[2]->Read(context, first, count, biases.data());
    }
    scan.Add(scales.data(), biased ? biases.data() : nullptr, count);
  }
  const std::optional<Scheme> twin = scan.Twin();
  return twin && CanEncode(FindGgmlType(*twin).encoding, ShapeOf(codes)) ? twin : std::nullopt;
}

}  // namespace lbrx
