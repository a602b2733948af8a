#include <charconv>
#include <cstring>

#include "core/base/format.h"
#include "formats/huggingface/quantized_methods.h"

namespace lbrx {

namespace {

// How one of the config's groups quantizes weights.
struct WeightArgs {
  uint8_t bits = 0;
  bool floating = false;
  bool symmetric = true;
  uint16_t group = 0;       // columns that share a scale; 0: all
  uint16_t group_rows = 1;  // rows; 0: all
};

std::string StringOf(const Json& block, std::string_view key) {
  const Json* value = block.Find(key);
  return value != nullptr && value->is_string() ? value->AsString() : "";
}

// "128x128" or [128, 128].
void ReadBlock(const QuantizedGroup& group, const Json& weights, WeightArgs& args) {
  const Json* block = weights.Find("block_structure");
  std::array<uint64_t, 2> sides{};
  if (block != nullptr && block->is_array() && block->AsArray().size() == 2) {
    for (size_t i = 0; i < 2; ++i) {
      const Json& side = block->AsArray()[i];
      sides[i] = side.is_integer() && side.AsDouble() > 0 ? side.AsUint64() : 0;
    }
  } else if (block != nullptr && block->is_string()) {
    const std::string& text = block->AsString();
    const char* end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, sides[0]);
    if (first.ec == std::errc() && first.ptr != end && *first.ptr == 'x') {
      std::from_chars(first.ptr + 1, end, sides[1]);
    }
  }
  if (sides[0] == 0 || sides[1] == 0 || sides[0] > 65535 || sides[1] > 65535) {
    group.ThrowConfig("block_structure", "is no size of blocks", "[rows, columns]",
                      block == nullptr ? "nothing" : Printable(WriteJson(*block), 60));
  }
  args.group_rows = static_cast<uint16_t>(sides[0]);
  args.group = static_cast<uint16_t>(sides[1]);
}

WeightArgs ReadArgs(const QuantizedGroup& group, const Json& weights) {
  WeightArgs args;
  const int64_t bits = group.Number(weights, "num_bits", 8);
  if (bits < 1 || bits > 8) {
    group.ThrowConfig("num_bits", "no such quantization", "1 to 8", std::to_string(bits));
  }
  args.bits = static_cast<uint8_t>(bits);
  args.floating = StringOf(weights, "type") == "float";
  const Json* symmetric = weights.Find("symmetric");
  args.symmetric = symmetric == nullptr || !symmetric->is_bool() || symmetric->AsBool();
  const int64_t size = group.Number(weights, "group_size", -1);
  const std::string strategy = StringOf(weights, "strategy");
  if (strategy == "group" || strategy == "tensor_group" || (strategy.empty() && size > 0)) {
    args.group = group.GroupSize(size);
  } else if (strategy == "block") {
    ReadBlock(group, weights, args);
  } else if (strategy == "tensor" || strategy.empty()) {
    args.group_rows = 0;
  } else if (strategy != "channel") {
    group.ThrowConfig("strategy", "a way to share scales that cannot be read",
                      "tensor, channel, group, tensor_group or block", Printable(strategy));
  }
  return args;
}

std::vector<WeightArgs> ReadGroups(const QuantizedGroup& group) {
  std::vector<WeightArgs> all;
  const Json* groups = group.block().Find("config_groups");
  if (groups != nullptr && groups->is_object()) {
    for (const auto& [name, entry] : groups->AsObject()) {
      const Json* weights = entry.Find("weights");
      if (weights != nullptr && weights->is_object()) {
        all.push_back(ReadArgs(group, *weights));
      }
    }
  }
  if (all.empty()) {
    group.ThrowConfig("config_groups", "does not say how weights are quantized",
                      "a group with weights", groups == nullptr ? "nothing" : "none");
  }
  return all;
}

class CompressedGrouper {
 public:
  explicit CompressedGrouper(QuantizedGroup& group) : group_(group), args_(ReadGroups(group)) {}

  void Run() {
    group_.ForEach(".weight_packed", [&](const std::string& module, uint32_t codes) {
      if (group_.Array(codes).dtype == DType::kU8) {
        AddFloat4(module, codes);
      } else {
        AddPackedIntegers(module, codes);
      }
    });
    group_.ForEach(".weight_scale",
                   [&](const std::string& module, uint32_t scales) { AddBytes(module, scales); });
    group_.DropAll({".input_scale", ".input_zero_point", ".input_global_scale", ".output_scale",
                    ".output_zero_point", ".k_scale", ".v_scale", ".q_scale"});
    group_.Finish({".weight_shape", ".weight_zero_point", ".weight_global_scale", ".weight_g_idx"});
  }

 private:
  // The first of the config's groups whose planes are as they are here; where none fits, what is
  // wrong with the first of the right kind is told.
  template <typename MakeEncoding>
  void AddFitting(const std::string& module, const Shape& shape,
                  const std::vector<uint32_t>& planes, MakeEncoding make) {
    std::optional<Encoding> chosen;
    for (const WeightArgs& args : args_) {
      const std::optional<Encoding> encoding = make(args);
      if (!encoding) {
        continue;
      }
      const bool fits = shape.CheckedElements() && group_.Fits(*encoding, shape, planes);
      if (!chosen || fits) {
        chosen = encoding;
      }
      if (fits) {
        break;
      }
    }
    if (!chosen) {
      group_.Throw(planes[0], "no group of the config quantizes weights so",
                   "one of the config's groups",
                   std::string(Name(group_.Array(planes[0]).dtype)) + " codes");
    }
    group_.Add(module + ".weight", *chosen, shape, planes);
  }

  void RefuseOrder(const std::string& module, uint32_t codes) const {
    if (group_.Find(module + ".weight_g_idx")) {
      group_.Throw(codes, "columns in an order of their own (actorder) cannot be read",
                   "no weight_g_idx", module + ".weight_g_idx");
    }
  }

  // weight_shape: two integers.
  Shape ReadShape(const std::string& module, uint32_t codes) const {
    const uint32_t array = group_.Require(module + ".weight_shape", codes);
    const StoredArray& stored = group_.Array(array);
    const uint64_t width = Info(stored.dtype).bits / 8;
    const bool integers = stored.dtype == DType::kI64 || stored.dtype == DType::kI32;
    if (!integers || stored.shape != Shape{2}) {
      group_.Throw(array, "is no shape of a matrix", "I64 [2]",
                   std::string(Name(stored.dtype)) + " " + stored.shape.ToString());
    }
    const std::vector<std::byte> content = group_.Content(array);
    Shape shape{0, 0};
    for (size_t i = 0; i < 2; ++i) {
      uint64_t dim = 0;
      std::memcpy(&dim, content.data() + i * width, width);
      shape[i] = dim;
    }
    group_.Drop(array);
    return shape;
  }

  void AddPackedIntegers(const std::string& module, uint32_t codes) {
    RefuseOrder(module, codes);
    const uint32_t scales = group_.Require(module + ".weight_scale", codes);
    const Shape shape = ReadShape(module, codes);
    std::vector<uint32_t> planes = {codes, scales};
    const std::optional<uint32_t> zeros = group_.Find(module + ".weight_zero_point");
    if (zeros) {
      planes.push_back(*zeros);
    }
    AddFitting(module, shape, planes, [&](const WeightArgs& args) -> std::optional<Encoding> {
      if (args.floating || (!args.symmetric && !zeros)) {
        return std::nullopt;
      }
      return EncodingOf(Scheme::kPackedInt, args, scales, zeros.has_value());
    });
  }

  Encoding EncodingOf(Scheme scheme, const WeightArgs& args, uint32_t scales, bool zeros) const {
    Encoding encoding;
    encoding.scheme = scheme;
    encoding.bits = args.bits;
    encoding.group = args.group;
    encoding.group_rows = args.group_rows;
    encoding.dtype = group_.ValueType(group_.Array(scales).dtype);
    encoding.extended = zeros;
    return encoding;
  }

  // fp8 and int8: codes under the name that the weight has anyway.
  void AddBytes(const std::string& module, uint32_t scales) {
    const uint32_t weight = group_.Require(module + ".weight", scales);
    const StoredArray& codes = group_.Array(weight);
    if (codes.shape.rank() != 2) {
      group_.Throw(weight, "a quantized weight of a wrong shape", "a matrix",
                   codes.shape.ToString());
    }
    if (const auto zeros = group_.Find(module + ".weight_zero_point")) {
      group_.Throw(*zeros, "zero points of bytes cannot be read", "symmetric codes", "this array");
    }
    RefuseOrder(module, weight);
    const bool integer = codes.dtype == DType::kI8;
    if (codes.dtype == DType::kF8E4M3 && AreExponents(scales)) {
      AddMicroscale(module, Scheme::kMxfp8, 8, weight, scales, codes.shape);
      return;
    }
    AddFitting(module, codes.shape, {weight, scales},
               [&](const WeightArgs& args) -> std::optional<Encoding> {
                 if (args.floating == integer || args.bits != 8) {
                   return std::nullopt;
                 }
                 return EncodingOf(integer ? Scheme::kInt8 : Scheme::kFp8, args, scales, false);
               });
  }

  // nvfp4 with its divisor, or mxfp4.
  void AddFloat4(const std::string& module, uint32_t codes) {
    const uint32_t scales = group_.Require(module + ".weight_scale", codes);
    const Shape& bytes = group_.Array(codes).shape;
    if (bytes.rank() != 2 || bytes[1] > ~uint64_t{0} / 2) {
      group_.Throw(codes, "codes of a wrong shape", "a matrix", bytes.ToString());
    }
    const Shape shape{bytes[0], bytes[1] * 2};
    if (AreExponents(scales)) {
      AddMicroscale(module, Scheme::kMxfp4, 4, codes, scales, shape);
      return;
    }
    const uint32_t divisor = group_.Require(module + ".weight_global_scale", codes);
    Encoding encoding;
    encoding.scheme = Scheme::kNvfp4Two;
    encoding.bits = 4;
    encoding.group = 16;
    encoding.dtype = DType::kBF16;
    group_.Add(module + ".weight", encoding, shape, {codes, scales, divisor});
  }

  bool AreExponents(uint32_t scales) const {
    const DType dtype = group_.Array(scales).dtype;
    return dtype == DType::kU8 || dtype == DType::kF8E8M0;
  }

  // MLX's own schemes, byte for byte, under other names.
  void AddMicroscale(const std::string& module, Scheme scheme, uint8_t bits, uint32_t codes,
                     uint32_t scales, const Shape& shape) {
    const Encoding encoding{scheme, bits, 32, DType::kBF16};
    const Shape grid{shape[0], shape[1] / 32};
    if (!CanEncode(encoding, shape) || group_.Array(scales).shape != grid) {
      group_.Throw(scales, "scales do not go with the codes",
                   "U8 " + grid.ToString() + " for rows of whole groups of 32",
                   group_.Array(scales).shape.ToString() + " for values " + shape.ToString());
    }
    group_.Take({module + ".weight", encoding, shape, {codes, scales}});
  }

  QuantizedGroup& group_;
  std::vector<WeightArgs> args_;
};

}  // namespace

void GroupCompressed(QuantizedGroup& group) {
  CompressedGrouper(group).Run();
}

}  // namespace lbrx
