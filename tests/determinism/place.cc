#include "determinism/place.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <vector>

#include "cli/test_app.h"
#include "core/base/format.h"
#include "hostile/raw_gguf.h"
#include "support/checkpoints.h"

namespace lbrx::determinism {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kHidden = 256;  // of one K quant's block
constexpr uint64_t kHeadDim = 32;
constexpr uint64_t kHeads = 4;  // so that columns of one matrix are no whole block

// A Llama of one layer.
struct Llama {
  uint64_t vocabulary = 96;
  DType dtype = DType::kBF16;
  std::string seed = {};  // values differ between models

  void Write(const std::string& path) const {
    fs::create_directory(path);
    WriteSafetensors(path + "/model.safetensors", Tensors());
    WriteTestFile(path + "/config.json", Config());
  }

  std::vector<TestTensor> Tensors() const {
    std::vector<TestTensor> tensors;
    const auto add = [&](const std::string& name, const Shape& shape) {
      tensors.push_back(RandomTensor(seed + name, dtype, shape));
      tensors.back().name = name + ".weight";
    };
    const std::string layer = "model.layers.0.";
    add("model.embed_tokens", {vocabulary, kHidden});
    add(layer + "self_attn.q_proj", {kHeads * kHeadDim, kHidden});
    add(layer + "self_attn.k_proj", {kHeadDim, kHidden});
    add(layer + "self_attn.v_proj", {kHeadDim, kHidden});
    add(layer + "self_attn.o_proj", {kHidden, kHeads * kHeadDim});
    for (const char* name : {"gate_proj", "up_proj", "down_proj"}) {
      add(layer + "mlp." + name, {kHidden, kHidden});
    }
    for (const char* name : {"input_layernorm", "post_attention_layernorm"}) {
      add(layer + name, {kHidden});
    }
    add("model.norm", {kHidden});
    return tensors;
  }

  std::string Config() const {
    return Format(
        R"({{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "dtype": "{}",
"hidden_size": {}, "intermediate_size": {}, "num_attention_heads": {}, "num_key_value_heads": 1,
"head_dim": {}, "num_hidden_layers": 1, "vocab_size": {}, "rms_norm_eps": 1e-05,
"max_position_embeddings": 64, "rope_theta": 10000.0, "tie_word_embeddings": true}})",
        Info(dtype).long_name, kHidden, kHidden, kHeads, kHeadDim, vocabulary);
  }
};

std::string Floats(uint64_t count, const std::string& name) {
  return RandomTensor(name, DType::kF32, {count}).bytes;
}

// Sums of squares are not negative.
std::string WithoutSigns(std::string floats) {
  constexpr size_t kSignByte = 3;
  for (size_t i = kSignByte; i < floats.size(); i += sizeof(float)) {
    floats[i] = static_cast<char>(floats[i] & 0x7F);
  }
  return floats;
}

void WriteImatrix(const std::string& path) {
  RawGguf file;
  file.keys = {RawGgufString("general.type", "imatrix"),
               RawGgufStrings("imatrix.datasets", {"text"}), RawGgufU32("imatrix.chunk_count", 1),
               RawGgufU32("imatrix.chunk_size", 512)};
  const auto add = [&](const std::string& name, uint64_t count, const std::string& floats) {
    file.data.resize((file.data.size() + 31) / 32 * 32, '\0');
    file.tensors.push_back(RawGgufTensor(name, {count, 1}, 0, file.data.size()));
    file.data += floats;
  };
  const float count = 512;
  std::string counts(sizeof(count), '\0');
  std::memcpy(counts.data(), &count, sizeof(count));
  for (const char* tensor :
       {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"}) {
    const std::string name = Format("blk.0.{}.weight", tensor);
    const uint64_t columns = std::string(tensor) == "attn_output" ? kHeads * kHeadDim : kHidden;
    add(name + ".in_sum2", columns, WithoutSigns(Floats(columns, name)));
    add(name + ".counts", 1, counts);
  }
  file.data.resize((file.data.size() + 31) / 32 * 32, '\0');
  WriteTestFile(path, file.Bytes());
}

void Made(const std::vector<std::string>& args) {
  const AppRun run = RunForTest(args);
  if (run.code != 0) {
    throw std::runtime_error(run.err);
  }
}

void Cut(const std::string& from, const std::string& to, double share) {
  const std::string content = ReadTestFile(from);
  WriteTestFile(to, content.substr(0, static_cast<size_t>(share * content.size())));
}

void MakeSources(const std::string& place) {
  const auto at = [&](const char* name) { return place + "/" + name; };
  Llama{}.Write(at("small"));
  Llama{.dtype = DType::kF16}.Write(at("small-f16"));
  Llama{.dtype = DType::kF32}.Write(at("small-f32"));
  for (const char* name : {"base", "a", "b", "c"}) {
    Llama{.vocabulary = 4352, .seed = name}.Write(at(name));
  }
  WriteImatrix(at("imatrix.gguf"));
  const std::string small = at("small");
  Made({"quantize", small, at("small-4bit"), "4bit"});
  Made({"convert", small, at("small-bf16.gguf")});
  Made({"quantize", small, at("small-Q4_K_M.gguf"), "Q4_K_M"});
  Made({"convert", small, at("small.safetensors")});
  Made({"convert", small, at("parts"), "--shard-size", "200kB"});
  Made({"convert", small, at("set.gguf"), "--shard-size", "200kB"});
  fs::copy(small, at("damaged"));
  Cut(at("small.safetensors"), at("damaged/model.safetensors"), 0.7);
  Cut(at("small-Q4_K_M.gguf"), at("damaged.gguf"), 0.7);
}

}  // namespace

Place::Place() : path_(dir_ / "one") {
  fs::create_directory(path_);
  MakeSources(path_);
}

Place::Place(const std::string& sources) : path_(dir_ / "zw\xC3\xB6lf, $HOME %s \xE2\x82\xAC") {
  fs::copy(sources, path_, fs::copy_options::recursive);
}

const Place& FirstPlace() {
  static const Place place;
  return place;
}

const Place& SecondPlace() {
  static const Place place(FirstPlace().path());
  return place;
}

}  // namespace lbrx::determinism
