#include <algorithm>
#include <filesystem>

#include "core/base/format.h"
#include "determinism/rows.h"
#include "model/architecture.h"

namespace lbrx::determinism {
namespace {

namespace fs = std::filesystem;

std::string InData(const std::string& folder, const std::string& name = "") {
  return Format("{}/{}{}{}", LBRX_TEST_DATA, folder, name.empty() ? "" : "/", name);
}

void Add(std::vector<Row>& rows, const std::string& name, const std::string& source,
         const std::string& out, const std::vector<std::string>& options = {}) {
  std::vector<std::string> command = {"convert", source, out};
  command.insert(command.end(), options.begin(), options.end());
  rows.push_back({.name = NamePart(name), .commands = {command}});
}

// Each source to each container, floats of each type.
void AddFloats(std::vector<Row>& rows) {
  struct Target {
    const char* name;
    const char* out;
    std::vector<std::string> options;
  };

  const std::vector<Target> targets = {{"hf", "run/out", {"--to", "hf"}},
                                       {"mlx", "run/out", {"--to", "mlx"}},
                                       {"gguf", "run/out.gguf", {}},
                                       {"safetensors", "run/out.safetensors", {}}};
  for (const char* source : {"small", "small-f16", "small-f32", "small-4bit", "small-bf16.gguf",
                             "small-Q4_K_M.gguf", "small.safetensors", "parts"}) {
    for (const Target& target : targets) {
      const bool bare = std::string(source).ends_with(".safetensors");
      if (bare && std::string(target.name) == "gguf") {
        continue;  // refused: without a config there are no keys
      }
      for (const char* dtype : {"", "f32", "f16", "bf16"}) {
        std::vector<std::string> options = target.options;
        if (*dtype != '\0') {
          options.insert(options.end(), {"--dtype", dtype});
        }
        Add(rows, Format("{}_to_{}_{}", source, target.name, dtype), source, target.out, options);
      }
    }
  }
  Add(rows, "bands_to_f32", "base", "run/out", {"--dtype", "f32", "--shard-size", "1MB"});
  Add(rows, "bands_to_gguf_set", "base", "run/out.gguf", {"--shard-size", "1MB"});
}

std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(InData(folder))) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

void AddContainerRows(std::vector<Row>& rows) {
  AddFloats(rows);
  for (const Architecture* architecture : Architectures()) {
    const std::string name(architecture->name);
    Add(rows, name + "_to_mlx", InData("arch", name), "run/out", {"-q", "4bit"});
    Add(rows, name + "_to_gguf", InData("arch", name), "run/out.gguf", {"-q", "Q4_K_M"});
  }
  for (const std::string& name : NamesIn("multimodal")) {
    Add(rows, name + "_to_mlx", InData("multimodal", name), "run/out", {"-q", "8bit"});
  }
  for (const std::string& name : NamesIn("prequantized")) {
    const std::string source = InData("prequantized", name);
    if (fs::exists(fs::path(source) / "config.json")) {
      Add(rows, name + "_to_mlx", source, "run/out", {"-q", "8bit"});
      Add(rows, name + "_to_f32", source, "run/out", {"--dequantize", "--dtype", "f32"});
    }
  }
  for (const std::string& name : NamesIn("torch")) {
    if (name.ends_with(".bin") && !name.ends_with("_refused.bin")) {
      Add(rows, "torch_" + name, InData("torch", name), "run/out.safetensors",
          {"--allow-nonfinite"});
    }
  }
  Add(rows, "torch_sharded", InData("torch/sharded"), "run/out", {"--to", "hf"});
  Add(rows, "gguf_every_type", InData("gguf/llama_every_type.gguf"), "run/out.gguf",
      {"--dequantize", "--allow-nonfinite"});
  Add(rows, "tokenizer_to_gguf", InData("bard-base"), "run/out.gguf", {"--embed-hf"});
  Add(rows, "tokenizer_merge_safetensors", InData("bard-base"), "run/out.safetensors");
}

}  // namespace lbrx::determinism
