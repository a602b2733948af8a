#include "core/base/format.h"
#include "formats/huggingface/quantized_methods.h"

namespace lbrx {

namespace {

constexpr std::string_view kScale = "_scale_inv";

// Rows and columns of a block; both 0 where the config names none: a scale for the whole tensor.
std::pair<uint16_t, uint16_t> BlockSize(const QuantizedGroup& group) {
  const Json* block = group.block().Find("weight_block_size");
  if (block == nullptr || block->is_null()) {
    return {0, 0};
  }
  const auto fits = [](const Json& side) {
    return side.is_integer() && side.AsDouble() >= 1 && side.AsDouble() <= 65535;
  };
  if (!block->is_array() || block->AsArray().size() != 2 || !fits(block->AsArray()[0]) ||
      !fits(block->AsArray()[1])) {
    group.ThrowConfig("weight_block_size", "is no size of blocks", "[rows, columns]",
                      Printable(WriteJson(*block), 60));
  }
  return {static_cast<uint16_t>(block->AsArray()[0].AsUint64()),
          static_cast<uint16_t>(block->AsArray()[1].AsUint64())};
}

}  // namespace

void GroupFp8(QuantizedGroup& group) {
  Encoding encoding;
  encoding.scheme = Scheme::kFp8;
  encoding.bits = 8;
  encoding.dtype = group.ModelType().value_or(DType::kBF16);
  const auto [rows, columns] = BlockSize(group);
  encoding.group_rows = rows;
  encoding.group = columns;
  group.ForEach(kScale, [&](const std::string& name, uint32_t scales) {
    const uint32_t weight = group.Require(name, scales);
    const Shape& shape = group.Array(weight).shape;
    if (shape.rank() != 2 && shape.rank() != 3) {
      group.Throw(weight, "a quantized weight of a wrong shape", "a matrix, or one per expert",
                  shape.ToString());
    }
    group.Add(name, encoding, shape, {weight, scales});
  });
  group.DropAll({".activation_scale", ".input_scale"});
  group.Finish({});
}

void GroupMxfp4(QuantizedGroup& group) {
  constexpr uint64_t kBytes = 16;  // of a block of 32 codes
  group.ForEach("_blocks", [&](const std::string& name, uint32_t blocks) {
    const uint32_t scales = group.Require(name + "_scales", blocks);
    const Shape& shape = group.Array(blocks).shape;
    const std::optional<uint64_t> elements = shape.CheckedElements();
    if (group.Array(blocks).dtype != DType::kU8 || shape.rank() != 4 || shape[3] != kBytes ||
        !elements || *elements == 0 || *elements > ~uint64_t{0} / 2) {
      group.Throw(blocks, "blocks of a wrong shape or type", "U8 [experts, out, in / 32, 16]",
                  std::string(Name(group.Array(blocks).dtype)) + " " + shape.ToString());
    }
    const Shape grid{shape[0], shape[1], shape[2]};
    if (group.Array(scales).dtype != DType::kU8 || group.Array(scales).shape != grid) {
      group.Throw(scales, "scales do not go with the blocks", "U8 " + grid.ToString(),
                  std::string(Name(group.Array(scales).dtype)) + " " +
                      group.Array(scales).shape.ToString());
    }
    // Rows are outputs here; the weight that transformers makes of them is [experts, in, out].
    SourceTensor tensor{name,
                        {Scheme::kMxfp4, 4, 32, DType::kBF16},
                        {shape[0], shape[2] * 32, shape[1]},
                        {blocks, scales}};
    tensor.transposed = true;
    group.Take(std::move(tensor));
  });
  group.Finish({"_scales"});
}

}  // namespace lbrx
