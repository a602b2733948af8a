#include "support/checkpoints.h"

#include <cstring>
#include <filesystem>

#include "core/base/format.h"
#include "core/io/file.h"
#include "core/tensor/convert.h"
#include "formats/safetensors/safetensors.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

// A linear congruential generator; the upper bits are good enough for weights.
class Draw {
 public:
  explicit Draw(const std::string& name) {
    for (const char c : name) {
      state_ = state_ * 31 + static_cast<unsigned char>(c);
    }
  }

  // Roughly normal with sigma 0.02.
  float Next() {
    double sum = 0;
    for (int i = 0; i < 4; ++i) {
      state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
      sum += static_cast<double>(state_ >> 40) / (1 << 24);
    }
    return static_cast<float>((sum - 2) * 0.035);
  }

 private:
  uint64_t state_ = 1;
};

}  // namespace

TestTensor RandomTensor(const std::string& name, DType dtype, const Shape& shape) {
  TestTensor tensor{name, dtype, shape, ""};
  Draw draw(name);
  std::vector<float> values(shape.elements());
  for (float& value : values) {
    value = draw.Next();
  }
  tensor.bytes.resize(values.size() * Info(dtype).bits / 8);
  Convert(DType::kF32, reinterpret_cast<const std::byte*>(values.data()), dtype,
          reinterpret_cast<std::byte*>(tensor.bytes.data()), values.size());
  return tensor;
}

void WriteSafetensors(const std::string& path, const std::vector<TestTensor>& tensors,
                      const std::map<std::string, std::string>& metadata) {
  std::vector<SafetensorsEntry> entries;
  for (const TestTensor& tensor : tensors) {
    entries.push_back({tensor.name, tensor.dtype, tensor.shape});
  }
  const SafetensorsLayout layout = LayOutSafetensors(entries, metadata);
  std::string content = layout.header;
  content.resize(layout.file_size);
  for (size_t i = 0; i < tensors.size(); ++i) {
    std::memcpy(content.data() + layout.offsets[i], tensors[i].bytes.data(),
                tensors[i].bytes.size());
  }
  WriteTestFile(path, content);
}

std::map<std::string, std::string> ReadSafetensors(const std::string& path) {
  const std::string content = ReadTestFile(path);
  const SafetensorsHeader header = ReadSafetensorsHeader(*File::OpenRead(path), 0, nullptr);
  std::map<std::string, std::string> tensors;
  for (const StoredArray& array : header.arrays) {
    tensors[array.name] = content.substr(array.offset, array.bytes);
  }
  return tensors;
}

std::map<std::string, std::string> ReadTree(const std::string& path) {
  std::map<std::string, std::string> files;
  if (std::filesystem::is_regular_file(path)) {
    files[""] = ReadTestFile(path);
    return files;
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) {
      files[std::filesystem::relative(entry.path(), path)] = ReadTestFile(entry.path());
    }
  }
  return files;
}

std::vector<TestTensor> TinyLlama::Tensors() const {
  std::vector<TestTensor> tensors;
  const auto add = [&](const std::string& name, const Shape& shape) {
    tensors.push_back(RandomTensor(name + ".weight", dtype, shape));
  };
  add("model.embed_tokens", {96, 64});
  for (int layer = 0; layer < layers; ++layer) {
    const std::string prefix = Format("model.layers.{}.", layer);
    for (const char* name : {"q_proj", "k_proj", "v_proj", "o_proj"}) {
      add(prefix + "self_attn." + name, {64, 64});
    }
    add(prefix + "mlp.gate_proj", {128, 64});
    add(prefix + "mlp.up_proj", {128, 64});
    add(prefix + "mlp.down_proj", {64, 128});
    add(prefix + "input_layernorm", {64});
    add(prefix + "post_attention_layernorm", {64});
  }
  add("model.norm", {64});
  if (!tied) {
    add("lm_head", {96, 64});
  }
  return tensors;
}

std::string TinyLlama::Config() const {
  return Format(
      R"({{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "dtype": "{}",
"hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 2, "num_key_value_heads": 2,
"head_dim": 32, "num_hidden_layers": {}, "vocab_size": 96, "rms_norm_eps": 1e-05,
"rope_parameters": {{"rope_theta": 10000.0, "rope_type": "default"}},
"tie_word_embeddings": {}}})",
      Info(dtype).long_name, layers, tied ? "true" : "false");
}

void TinyLlama::Write(const std::string& path) const {
  std::filesystem::create_directory(path);
  WriteSafetensors(path + "/model.safetensors", Tensors());
  WriteTestFile(path + "/config.json", Config());
  WriteTestFile(path + "/tokenizer.json", R"({"model": {"type": "BPE", "vocab": {}}})");
}

}  // namespace lbrx
