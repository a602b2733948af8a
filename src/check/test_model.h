// A small Llama checkpoint for tests, to be damaged and written.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "check/check.h"
#include "core/tensor/convert.h"
#include "formats/safetensors/safetensors.h"
#include "support/temp_dir.h"

namespace lbrx {

struct TestTensor {
  DType dtype = DType::kF32;
  Shape shape;
  std::string bytes;
};

using TestTensors = std::map<std::string, TestTensor>;

template <typename T>
std::string BytesOf(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

inline TestTensor F32Tensor(const Shape& shape, const std::vector<float>& values) {
  return {DType::kF32, shape, BytesOf(values)};
}

inline TestTensor BF16Tensor(const Shape& shape, const std::vector<float>& values) {
  std::vector<uint16_t> bits;
  bits.reserve(values.size());
  for (const float value : values) {
    bits.push_back(FloatToBF16(value));
  }
  return {DType::kBF16, shape, BytesOf(bits)};
}

// Reproducible values in [-1, 1), another run for each `seed`.
inline std::vector<float> TestValues(uint64_t count, uint32_t seed) {
  std::vector<float> values;
  values.reserve(count);
  uint32_t state = seed * 2654435761U + 12345U;
  for (uint64_t i = 0; i < count; ++i) {
    state = state * 1664525U + 1013904223U;
    values.push_back(static_cast<float>(state >> 8) / static_cast<float>(1U << 23) - 1);
  }
  return values;
}

inline void WriteTensors(const std::string& path, const TestTensors& tensors,
                         const std::string& format = "pt") {
  std::vector<SafetensorsEntry> entries;
  entries.reserve(tensors.size());
  for (const auto& [name, tensor] : tensors) {
    entries.push_back({name, tensor.dtype, tensor.shape});
  }
  const SafetensorsLayout layout = LayOutSafetensors(entries, {{"format", format}});
  std::string content = layout.header;
  content.resize(layout.file_size);
  size_t i = 0;
  for (const auto& [name, tensor] : tensors) {
    std::memcpy(content.data() + layout.offsets[i++], tensor.bytes.data(), tensor.bytes.size());
  }
  WriteTestFile(path, content);
}

// 2 layers, hidden 64, 4 heads of 16, 2 key heads, 96 in the middle, 128 tokens; not tied.
struct TestModel {
  static constexpr uint64_t kHidden = 64;
  static constexpr uint64_t kVocabulary = 128;

  TestModel() {
    config = ParseJson(R"({"model_type": "llama", "hidden_size": 64, "num_attention_heads": 4,
        "num_key_value_heads": 2, "intermediate_size": 96, "num_hidden_layers": 2,
        "vocab_size": 128, "tie_word_embeddings": false, "eos_token_id": 127})",
                       "config.json");
    Add("model.embed_tokens.weight", {kVocabulary, kHidden});
    Add("lm_head.weight", {kVocabulary, kHidden});
    Add("model.norm.weight", {kHidden});
    AddLayer(0);
    AddLayer(1);
  }

  void AddLayer(uint64_t number) {
    const std::string layer = "model.layers." + std::to_string(number) + ".";
    Add(layer + "input_layernorm.weight", {kHidden});
    Add(layer + "post_attention_layernorm.weight", {kHidden});
    Add(layer + "self_attn.q_proj.weight", {64, kHidden});
    Add(layer + "self_attn.k_proj.weight", {32, kHidden});
    Add(layer + "self_attn.v_proj.weight", {32, kHidden});
    Add(layer + "self_attn.o_proj.weight", {kHidden, 64});
    Add(layer + "mlp.gate_proj.weight", {96, kHidden});
    Add(layer + "mlp.up_proj.weight", {96, kHidden});
    Add(layer + "mlp.down_proj.weight", {kHidden, 96});
  }

  void Add(const std::string& name, const Shape& shape) {
    tensors[name] =
        BF16Tensor(shape, TestValues(shape.elements(), static_cast<uint32_t>(tensors.size())));
  }

  // Overwrites one bf16 element.
  void SetElement(const std::string& name, uint64_t index, float value) {
    const uint16_t bits = FloatToBF16(value);
    std::memcpy(tensors.at(name).bytes.data() + 2 * index, &bits, sizeof(bits));
  }

  // Makes `name` (a "x.weight") an MLX 4-bit matrix of group 64, all codes 0x3.
  void Quantize(const std::string& name, const std::vector<float>& scales) {
    const Shape shape = tensors.at(name).shape;
    const Shape groups = {shape[0], shape[1] / 64};
    tensors[name] = {DType::kU32,
                     {shape[0], shape[1] / 8},
                     std::string(shape.elements() / 2, static_cast<char>(0x33))};
    tensors[PlaneName(name, "scales")] = BF16Tensor(groups, scales);
    tensors[PlaneName(name, "biases")] =
        BF16Tensor(groups, std::vector<float>(groups.elements(), -0.5F));
  }

  void Write(const TempDir& folder) const {
    WriteTensors(folder / "model.safetensors", tensors, format);
    WriteTestFile(folder / "config.json", WriteJson(config));
  }

  Json config;
  TestTensors tensors;
  std::string format = "pt";
};

inline Checkpoint OpenForCheck(const std::string& path) {
  OpenOptions options;
  options.collect_problems = true;
  return OpenCheckpoint(path, options);
}

// Options with an executor of their own.
struct TestOptions {
  explicit TestOptions(unsigned threads = 2) : executor(threads) { options.executor = &executor; }

  Executor executor;
  CheckOptions options;
};

}  // namespace lbrx
