#include "formats/huggingface/quantized.h"

#include <algorithm>
#include <array>

#include "core/base/format.h"
#include "formats/huggingface/quantized_methods.h"

namespace lbrx {

namespace {

struct Method {
  std::string_view name;  // quant_method
  void (*group)(QuantizedGroup&);
};

constexpr std::array<Method, 6> kMethods = {{
    {"gptq", GroupGptq},
    {"awq", GroupAwq},
    {"fp8", GroupFp8},
    {"mxfp4", GroupMxfp4},
    {"compressed-tensors", GroupCompressed},
    {"bitsandbytes", GroupBitsAndBytes},
}};

// The block that names a method: of the config, of its text part, or nullptr.
const Json* FindBlock(const Json& config) {
  for (const Json* part : {&config, config.Find("text_config")}) {
    const Json* block = part == nullptr ? nullptr : part->Find("quantization_config");
    if (block != nullptr && block->is_object()) {
      return block;
    }
  }
  return nullptr;
}

std::string MethodName(const Json& block) {
  const Json* method = block.Find("quant_method");
  if (method != nullptr) {
    return method->is_string() ? method->AsString() : WriteJson(*method);
  }
  // Configurations from before the methods had names.
  const auto is_true = [&](const char* key) {
    const Json* value = block.Find(key);
    return value != nullptr && value->is_bool() && value->AsBool();
  };
  return is_true("load_in_4bit") || is_true("load_in_8bit") ? "bitsandbytes" : "";
}

std::string KnownMethods() {
  std::string names;
  for (const Method& method : kMethods) {
    names += (names.empty() ? "" : ", ") + std::string(method.name);
  }
  return names;
}

// An array that only a quantizer writes.
const StoredArray* FindPacked(const Checkpoint& checkpoint) {
  const auto found = std::find_if(
      checkpoint.arrays.begin(), checkpoint.arrays.end(), [](const StoredArray& array) {
        return array.name.ends_with(".qweight") || array.name.ends_with("_scale_inv");
      });
  return found == checkpoint.arrays.end() ? nullptr : &*found;
}

ErrorDetail UnknownMethod(const std::string& path, const std::string& name) {
  ErrorDetail detail;
  detail.file = path;
  detail.object = "quantization_config";
  detail.what = "the model is quantized by a method that this version cannot read";
  detail.expected = "floats, MLX's quantization, or one of " + KnownMethods();
  detail.found = "\"" + Printable(name, 60) + "\"";
  detail.advice = "start from the unquantized model";
  return detail;
}

void Group(Checkpoint& checkpoint, const Method& method, const Json& block, const std::string& path,
           const OpenOptions& options) {
  checkpoint.tensors.clear();
  QuantizedGroup group(checkpoint, block, path, options);
  try {
    method.group(group);
    group.WarnOfNone(method.name);
  } catch (const Error& error) {
    // The block itself: nothing can be grouped.
    ProblemSink(options, checkpoint.problems).Caught(error);
    checkpoint.tensors.clear();
    AddPlainTensors(checkpoint);
  }
  checkpoint.reason += Format(", whose weights are quantized by {}", method.name);
}

}  // namespace

bool GroupQuantizedTensors(Checkpoint& checkpoint, const OpenOptions& options) {
  ProblemSink problems(options, checkpoint.problems);
  std::string path = JoinPath(checkpoint.folder, "config.json");
  const Json* block = FindBlock(checkpoint.config);
  std::string name = block == nullptr ? "" : MethodName(*block);
  Json beside;
  if (name.empty() && FindPacked(checkpoint) != nullptr) {
    const std::string gptq = JoinPath(checkpoint.folder, "quantize_config.json");
    if (PathExists(gptq)) {
      // It says how these weights are stored: no business of what is made of them.
      std::erase_if(checkpoint.side_files,
                    [](const SideFile& file) { return file.name == "quantize_config.json"; });
      path = gptq;
      beside = ParseJson(ReadWholeFile(gptq), gptq);
      block = &beside;
      name = "gptq";
    } else {
      const StoredArray& packed = *FindPacked(checkpoint);
      ErrorDetail detail;
      detail.file = path;
      detail.what = "the weights are quantized, but it does not say how";
      detail.expected = "quantization_config with a quant_method";
      detail.found = Printable(packed.name);
      problems.Fail(std::move(detail));
    }
  }
  if (name.empty()) {
    return false;
  }
  const auto method = std::find_if(kMethods.begin(), kMethods.end(),
                                   [&](const Method& row) { return row.name == name; });
  if (method == kMethods.end()) {
    problems.Fail(UnknownMethod(path, name));
    return false;
  }
  Group(checkpoint, *method, *block, path, options);
  return true;
}

}  // namespace lbrx
