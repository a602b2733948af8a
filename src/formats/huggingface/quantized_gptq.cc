#include "core/base/format.h"
#include "formats/huggingface/quantized_methods.h"

namespace lbrx {

namespace {

// A member that is a string, in lower case; `otherwise` where there is none.
std::string TextOf(const Json& block, std::string_view key, std::string otherwise) {
  const Json* value = block.Find(key);
  if (value == nullptr || !value->is_string()) {
    return otherwise;
  }
  std::string text = value->AsString();
  for (char& c : text) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return text;
}

// Whether `meta.quantizer`, a string or a list of them, names GPTQModel.
bool MadeByGptqModel(const Json& block) {
  const Json* meta = block.Find("meta");
  const Json* quantizer = meta == nullptr ? nullptr : meta->Find("quantizer");
  return quantizer != nullptr && WriteJson(*quantizer).find("gptqmodel") != std::string::npos;
}

ZeroRule ReadZeroRule(const QuantizedGroup& group) {
  const std::string format =
      TextOf(group.block(), "checkpoint_format", TextOf(group.block(), "format", "gptq"));
  if (format == "gptq_v2") {
    return ZeroRule::kStored;
  }
  if (format != "gptq") {
    group.ThrowConfig("checkpoint_format", "a layout that cannot be read", "gptq or gptq_v2",
                      Printable(format));
  }
  return MadeByGptqModel(group.block()) ? ZeroRule::kWordPlusOne : ZeroRule::kPlusOne;
}

void AddColumns(QuantizedGroup& group, const std::string& module, uint32_t codes, Encoding encoding,
                const Shape& shape) {
  const uint32_t scales = group.Require(module + ".scales", codes);
  std::vector<uint32_t> planes = {codes, scales, group.Require(module + ".qzeros", codes)};
  if (const auto indices = group.Find(module + ".g_idx")) {
    planes.push_back(*indices);
    encoding.extended = true;
  }
  encoding.dtype = group.ValueType(group.Array(scales).dtype);
  group.Add(module + ".weight", encoding, shape, std::move(planes));
}

uint64_t Columns(const QuantizedGroup& group, uint32_t codes) {
  if (group.Array(codes).shape.rank() != 2) {
    group.Throw(codes, "codes of a wrong shape", "a matrix", group.Array(codes).shape.ToString());
  }
  return group.Array(codes).shape[1];
}

}  // namespace

void GroupGptq(QuantizedGroup& group) {
  Encoding encoding;
  encoding.scheme = Scheme::kGptq;
  const int64_t bits = group.Number(group.block(), "bits", 0);
  if (bits != 2 && bits != 3 && bits != 4 && bits != 8) {
    group.ThrowConfig("bits", "no such GPTQ", "2, 3, 4 or 8", std::to_string(bits));
  }
  encoding.bits = static_cast<uint8_t>(bits);
  encoding.group = group.GroupSize(group.Number(group.block(), "group_size", -1));
  encoding.zero_rule = ReadZeroRule(group);
  group.ForEach(".qweight", [&](const std::string& module, uint32_t codes) {
    const uint64_t out = Columns(group, codes);
    const uint64_t words = group.Array(codes).shape[0];  // of a column
    if (words % encoding.bits != 0) {
      group.Throw(codes, Format("columns that are no {}-bit codes", bits),
                  Format("a multiple of {} rows", bits), group.Array(codes).shape.ToString());
    }
    AddColumns(group, module, codes, encoding, {out, words / encoding.bits * 32});
  });
  group.Finish({".qzeros", ".g_idx", ".scales"});
}

void GroupAwq(QuantizedGroup& group) {
  Encoding encoding;
  encoding.scheme = Scheme::kAwq;
  encoding.bits = 4;
  const int64_t bits = group.Number(group.block(), "bits", 4);
  const std::string version = TextOf(group.block(), "version", "gemm");
  if (bits != 4) {
    group.ThrowConfig("bits", "no such AWQ", "4", std::to_string(bits));
  }
  if (version != "gemm") {
    group.ThrowConfig("version", "a layout that cannot be read", "gemm", Printable(version));
  }
  encoding.group = group.GroupSize(group.Number(group.block(), "group_size", 128));
  group.ForEach(".qweight", [&](const std::string& module, uint32_t codes) {
    const uint64_t words = Columns(group, codes);
    if (group.Find(module + ".g_idx")) {
      group.Throw(codes, "an AWQ tensor with g_idx", "none", module + ".g_idx");
    }
    if (words > ~uint64_t{0} / 8) {
      group.Throw(codes, "codes of a wrong shape", "a size that fits 64 bits",
                  group.Array(codes).shape.ToString());
    }
    AddColumns(group, module, codes, encoding, {words * 8, group.Array(codes).shape[0]});
  });
  group.Finish({".qzeros", ".g_idx", ".scales"});
}

}  // namespace lbrx
