#include <cmath>

#include "core/base/format.h"
#include "formats/huggingface/quantized_methods.h"

namespace lbrx {

namespace {

constexpr int64_t kNestedBlock = 256;

// The JSON that bitsandbytes keeps beside a 4-bit weight.
Json StateOf(const QuantizedGroup& group, uint32_t array) {
  if (group.Array(array).dtype != DType::kU8) {
    group.Throw(array, "the state of a quantized tensor is no text", "U8",
                std::string(Name(group.Array(array).dtype)));
  }
  const std::vector<std::byte> content = group.Content(array);
  try {
    return ParseJson({reinterpret_cast<const char*>(content.data()), content.size()}, "");
  } catch (const Error& error) {
    group.Throw(array, "the state of a quantized tensor is no JSON", "an object",
                error.detail().what);
  }
}

Shape ShapeOf(const QuantizedGroup& group, uint32_t array, const Json& state) {
  const Json* list = state.Find("shape");
  Shape shape;
  const bool is_list = list != nullptr && list->is_array() && !list->AsArray().empty() &&
                       list->AsArray().size() <= Shape::kMaxRank;
  for (size_t i = 0; is_list && i < list->AsArray().size(); ++i) {
    const Json& dim = list->AsArray()[i];
    if (!dim.is_integer() || dim.AsDouble() < 1) {
      break;
    }
    shape.push_back(dim.AsUint64());
  }
  if (!is_list || shape.rank() != list->AsArray().size() || !shape.CheckedElements()) {
    group.Throw(array, "the state names no possible shape", "positive sizes",
                list == nullptr ? "nothing" : Printable(WriteJson(*list), 60));
  }
  return shape;
}

DType TypeOf(const QuantizedGroup& group, uint32_t array, const Json& state) {
  const Json* name = state.Find("dtype");
  const auto dtype =
      name == nullptr || !name->is_string() ? std::nullopt : ParseDType(name->AsString());
  if (dtype != DType::kF32 && dtype != DType::kF16 && dtype != DType::kBF16) {
    group.Throw(array, "the state names no type of values that can be read",
                "float32, float16 or bfloat16",
                name == nullptr ? "nothing" : Printable(WriteJson(*name), 60));
  }
  return group.ValueType(*dtype);
}

// Scales that are coded themselves: blocks of 256, and an offset.
void ReadNested(const QuantizedGroup& group, uint32_t array, const Json& state,
                const std::string& name, Encoding& encoding, std::vector<uint32_t>& planes) {
  encoding.extended = true;
  planes.push_back(group.Require(name + ".nested_absmax", array));
  planes.push_back(group.Require(name + ".nested_quant_map", array));
  for (const size_t i : {size_t{2}, size_t{3}}) {
    if (group.Array(planes[i]).dtype != DType::kF32) {
      group.Throw(planes[i], "scales of scales of a wrong type", "F32",
                  std::string(Name(group.Array(planes[i]).dtype)));
    }
  }
  const Json* offset = state.Find("nested_offset");
  if (group.Number(state, "nested_blocksize", 0) != kNestedBlock || offset == nullptr ||
      !offset->is_number() || !std::isfinite(static_cast<float>(offset->AsDouble()))) {
    group.Throw(array, "the state does not say how scales are coded",
                Format("nested_blocksize {} and a nested_offset", kNestedBlock),
                Printable(WriteJson(state), 200));
  }
  encoding.offset = static_cast<float>(offset->AsDouble());
}

void GroupFourBit(QuantizedGroup& group, Scheme scheme, const std::string& name, uint32_t array) {
  const uint32_t weight = group.Require(name, array);
  const Json state = StateOf(group, array);
  Encoding encoding;
  encoding.scheme = scheme;
  encoding.bits = 4;
  encoding.dtype = TypeOf(group, array, state);
  const int64_t block = group.Number(state, "blocksize", 0);
  if (block < 32 || block > 4096 || (block & (block - 1)) != 0) {
    group.Throw(array, "the state names no possible size of blocks", "32, 64, ... 4096",
                std::to_string(block));
  }
  encoding.group = static_cast<uint16_t>(block);
  std::vector<uint32_t> planes = {weight, group.Require(name + ".absmax", array)};
  if (group.Find(name + ".nested_absmax")) {
    ReadNested(group, array, state, name, encoding, planes);
  }
  const uint32_t map = group.Require(name + ".quant_map", array);
  group.Add(name, encoding, ShapeOf(group, array, state), std::move(planes));
  group.Drop(map);  // the sixteen values that the type of quantization stands for
  group.Drop(array);
}

void GroupEightBit(QuantizedGroup& group, const std::string& module, uint32_t scales) {
  const uint32_t weight = group.Require(module + ".weight", scales);
  if (group.Array(weight).shape.rank() != 2) {
    group.Throw(weight, "a quantized weight of a wrong shape", "a matrix",
                group.Array(weight).shape.ToString());
  }
  if (const auto format = group.Find(module + ".weight_format")) {
    const std::vector<std::byte> content = group.Content(*format);
    if (content.empty() || content[0] != std::byte{0}) {
      group.Throw(*format, "a layout of int8 weights that cannot be read", "0, rows as they are",
                  content.empty() ? "nothing" : std::to_string(static_cast<int>(content[0])));
    }
    group.Drop(*format);
  }
  Encoding encoding;
  encoding.scheme = Scheme::kBnbInt8;
  encoding.bits = 8;
  encoding.dtype = group.ValueType(DType::kF32);
  group.Add(module + ".weight", encoding, group.Array(weight).shape, {weight, scales});
}

}  // namespace

void GroupBitsAndBytes(QuantizedGroup& group) {
  for (const Scheme scheme : {Scheme::kNf4, Scheme::kBnbFp4}) {
    group.ForEach(
        scheme == Scheme::kNf4 ? ".quant_state.bitsandbytes__nf4"
                               : ".quant_state.bitsandbytes__fp4",
        [&](const std::string& name, uint32_t array) { GroupFourBit(group, scheme, name, array); });
  }
  group.ForEach(".SCB", [&](const std::string& module, uint32_t scales) {
    GroupEightBit(group, module, scales);
  });
  group.Finish({".absmax", ".quant_map", ".nested_absmax", ".nested_quant_map", ".weight_format"});
}

}  // namespace lbrx
