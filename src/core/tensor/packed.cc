#include "core/tensor/packed.h"

#include "core/base/checked.h"

namespace lbrx {
namespace {

// 32-bit words of `count` codes of `bits`, without forming count * bits, which may overflow.
uint64_t Words(uint64_t count, uint64_t bits) {
  return count / 32 * bits + CeilDiv(count % 32 * bits, 32);
}

// [..., rows, columns] of scales for values of `shape`.
Shape Grid(const Encoding& encoding, const Shape& shape) {
  Shape grid = shape;
  const size_t rank = shape.rank();
  grid[rank - 2] = ScaleRows(encoding, shape[rank - 2]);
  grid[rank - 1] = ScaleColumns(encoding, shape[rank - 1]);
  return grid;
}

std::vector<Plane> ColumnPlanes(const Encoding& encoding, uint64_t out, uint64_t in) {
  const uint64_t groups = ScaleColumns(encoding, in);
  const bool down = encoding.scheme == Scheme::kGptq;
  std::vector<Plane> planes = {
      {"qweight", DType::kI32,
       down ? Shape{Words(in, encoding.bits), out} : Shape{in, Words(out, encoding.bits)}},
      {"scales", DType::kF32, {groups, out}},
      {"qzeros", DType::kI32, {groups, Words(out, encoding.bits)}}};
  if (encoding.extended) {
    planes.push_back({"g_idx", DType::kI32, {in}});
  }
  return planes;
}

std::vector<Plane> RunPlanes(const Encoding& encoding, const Shape& shape) {
  constexpr uint64_t kScalesInBlock = 256;  // bitsandbytes codes scales in blocks of this
  const uint64_t elements = shape.elements();
  const Shape blocks{CeilDiv(elements, encoding.group)};
  std::vector<Plane> planes = {{"", DType::kU8, {CeilDiv(elements, 2), 1}},
                               {".absmax", encoding.extended ? DType::kU8 : DType::kF32, blocks}};
  if (encoding.extended) {
    planes.push_back({".nested_absmax", DType::kF32, {CeilDiv(blocks[0], kScalesInBlock)}});
    planes.push_back({".nested_quant_map", DType::kF32, {256}});
  }
  return planes;
}

}  // namespace

uint64_t ScaleColumns(const Encoding& encoding, uint64_t columns) {
  return encoding.group == 0 ? 1 : CeilDiv(columns, encoding.group);
}

uint64_t ScaleRows(const Encoding& encoding, uint64_t rows) {
  return encoding.group_rows == 0 ? 1 : CeilDiv(rows, encoding.group_rows);
}

std::vector<Plane> PackedPlanes(const Encoding& encoding, const Shape& shape) {
  const Shape grid = shape.rank() >= 2 ? Grid(encoding, shape) : Shape{1, 1};
  const uint64_t out = shape.rank() >= 2 ? shape[shape.rank() - 2] : 1;
  const uint64_t in = shape.back();
  switch (encoding.scheme) {
    case Scheme::kFp8:
      return {{"", DType::kF8E4M3, shape}, {"_scale", DType::kF32, grid}};
    case Scheme::kInt8:
    case Scheme::kBnbInt8:
      return {{"", DType::kI8, shape}, {"_scale", DType::kF32, grid}};
    case Scheme::kPackedInt: {
      std::vector<Plane> planes = {{"_packed", DType::kI32, {out, Words(in, encoding.bits)}},
                                   {"_scale", DType::kF32, grid}};
      if (encoding.extended) {
        planes.push_back({"_zero_point", DType::kI32, {Words(out, encoding.bits), grid.back()}});
      }
      return planes;
    }
    case Scheme::kNvfp4Two:
      return {{"_packed", DType::kU8, {out, CeilDiv(in, 2)}},
              {"_scale", DType::kF8E4M3, grid},
              {"_global_scale", DType::kF32, {1}}};
    case Scheme::kGptq:
    case Scheme::kAwq:
      return ColumnPlanes(encoding, out, in);
    default:
      return RunPlanes(encoding, shape);
  }
}

std::string PackedLabel(const Encoding& encoding) {
  std::string label(SchemeName(encoding.scheme));
  switch (encoding.scheme) {
    case Scheme::kFp8:
    case Scheme::kInt8:
      if (encoding.group_rows > 1 || (encoding.group_rows == 1 && encoding.group > 0)) {
        return label + " " + std::to_string(encoding.group_rows) + "x" +
               std::to_string(encoding.group);
      }
      return label + (encoding.group_rows == 0 ? "/tensor" : "/row");
    case Scheme::kPackedInt:
    case Scheme::kGptq:
    case Scheme::kAwq:
      label = encoding.scheme == Scheme::kPackedInt ? "int" : label + " ";
      return label + std::to_string(encoding.bits) +
             (encoding.scheme == Scheme::kPackedInt ? "" : "bit") + "/" +
             (encoding.group == 0 ? "row" : std::to_string(encoding.group));
    case Scheme::kNf4:
    case Scheme::kBnbFp4:
      return label + "/" + std::to_string(encoding.group) + (encoding.extended ? " double" : "");
    default:
      return label;
  }
}

const std::vector<SchemeRow>& PackedSchemeTable() {
  static const std::vector<SchemeRow> table = {
      {"gptq", "GPTQ, 2, 3, 4 or 8 bits, v1 and v2", {Scheme::kGptq, 4, 128, DType::kF16}},
      {"awq", "AWQ (gemm), 4 bits", {Scheme::kAwq, 4, 128, DType::kF16}},
      {"nf4", "bitsandbytes NF4, also with coded scales", {Scheme::kNf4, 4, 64, DType::kBF16}},
      {"bnb-fp4", "bitsandbytes FP4, the same", {Scheme::kBnbFp4, 4, 64, DType::kBF16}},
      {"bnb-int8", "bitsandbytes LLM.int8", {Scheme::kBnbInt8, 8, 0, DType::kF16}},
      {"fp8",
       "E4M3 with scales (DeepSeek, compressed-tensors)",
       {Scheme::kFp8, 8, 128, DType::kBF16, 128}},
      {"int8", "compressed-tensors int8", {Scheme::kInt8, 8, 0, DType::kBF16}},
      {"packed-int",
       "compressed-tensors pack-quantized, 1 to 8 bits",
       {Scheme::kPackedInt, 4, 128, DType::kBF16}},
      {"nvfp4-two-level",
       "compressed-tensors nvfp4-pack-quantized",
       {Scheme::kNvfp4Two, 4, 16, DType::kBF16}},
  };
  return table;
}

}  // namespace lbrx
