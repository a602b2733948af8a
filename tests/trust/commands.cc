#include "trust/commands.h"

#include <filesystem>
#include <stdexcept>

#include "cli/test_app.h"
#include "support/checkpoints.h"
#include "support/temp_dir.h"
#include "trust/workplace.h"

namespace lbrx {
namespace {

void MakeModel(const std::string& folder) {
  WriteTrustModel(folder + "/model");
}

// A quantized MLX folder in several shards.
void MakeMlx(const std::string& folder) {
  MakeModel(folder);
  Make(folder, {"convert", "@/model", "@/mlx", "-q", "4bit", "--shard-size", "20000"});
  std::filesystem::remove_all(folder + "/model");
}

void MakeGguf(const std::string& folder) {
  MakeModel(folder);
  Make(folder, {"convert", "@/model", "@/model.gguf", "-q", "Q8_0"});
  std::filesystem::remove_all(folder + "/model");
}

void MakeShards(const std::string& folder) {
  WriteTrustModel(folder + "/whole");
  Make(folder, {"convert", "@/whole", "@/model", "--shard-size", "40000"});
  std::filesystem::remove_all(folder + "/whole");
}

// The file of weights cut in the middle of its last tensor, which is lost.
void MakeDamaged(const std::string& folder) {
  MakeModel(folder);
  const std::string weights = folder + "/model/model.safetensors";
  std::filesystem::resize_file(weights, std::filesystem::file_size(weights) - 100);
}

void MakeMergeOf(const std::string& folder, const std::string& rest) {
  MakeModel(folder);
  for (const int variant : {1, 2}) {
    WriteVariant(folder + "/model", folder + "/variant" + std::to_string(variant), variant);
  }
  WriteTestFile(folder + "/merge.yml", InFolder(rest, folder));
}

// Reads its sources once for a dot product and once more to merge.
void MakeSlerp(const std::string& folder) {
  MakeMergeOf(folder,
              "models: [{model: @/variant1}, {model: @/variant2}]\n"
              "base_model: @/variant1\nmerge_method: slerp\nparameters: {t: 0.3}\n"
              "dtype: bfloat16\n");
}

// Finds the k-th largest of each tensor in several passes before it merges.
void MakeTies(const std::string& folder) {
  MakeMergeOf(folder,
              "models:\n"
              "- {model: @/variant1, parameters: {weight: 0.5, density: 0.5}}\n"
              "- {model: @/variant2, parameters: {weight: 0.7, density: 0.6}}\n"
              "base_model: @/model\nmerge_method: ties\ndtype: bfloat16\n");
}

}  // namespace

const std::vector<WritingCommand>& WritingCommands() {
  static const std::vector<WritingCommand> commands = {
      {"ConvertToMlx",
       "out",
       {"convert", "@/model", "@/out", "-q", "4bit", "--shard-size", "20000"},
       MakeModel},
      {"ConvertMlxToHf",
       "out",
       {"convert", "@/mlx", "@/out", "--to", "hf", "--dtype", "f16", "--shard-size", "60000"},
       MakeMlx},
      {"ConvertToGguf", "out.gguf", {"convert", "@/model", "@/out.gguf", "-q", "Q4_0"}, MakeModel},
      {"ConvertToGgufSet",
       "out.gguf",
       {"convert", "@/model", "@/out.gguf", "-q", "Q4_0", "--shard-size", "12000"},
       MakeModel},
      {"ConvertGgufToHf", "out", {"convert", "@/model.gguf", "@/out", "--to", "hf"}, MakeGguf},
      {"QuantizeShards",
       "out",
       {"quantize", "@/model", "@/out", "-q", "8bit", "--group-size", "32", "--shard-size",
        "20000"},
       MakeShards},
      {"MergeSlerp", "out", {"merge", "@/merge.yml", "@/out"}, MakeSlerp},
      {"MergeTies", "out.gguf", {"merge", "@/merge.yml", "@/out.gguf", "-q", "Q4_0"}, MakeTies},
      {"Repair", "out", {"repair", "@/model", "@/out"}, MakeDamaged, 10},
      {"Edit",
       "out.gguf",
       {"edit", "@/model.gguf", "@/out.gguf", "--set", "general.name=str:New", "--remove",
        "general.url"},
       MakeGguf},
  };
  return commands;
}

void WriteTrustModel(const std::string& path, int layers) {
  const TinyLlama model{.layers = layers};
  model.Write(path);
  // What a GGUF file needs; and without the tokenizer, which is empty.
  std::string config = model.Config();
  config.insert(1, R"("max_position_embeddings": 512, )");
  WriteTestFile(path + "/config.json", config);
  std::filesystem::remove(path + "/tokenizer.json");
  WriteTestFile(path + "/generation_config.json", R"({"do_sample": true, "top_p": 0.9})");
}

void WriteVariant(const std::string& model, const std::string& path, int variant) {
  std::filesystem::copy(model, path);
  std::string weights = ReadTestFile(path + "/model.safetensors");
  // The lowest bits of BF16: never NaN, never infinite.
  const auto step = static_cast<size_t>(variant) * 2 + 4;
  for (size_t at = weights.size() / 4 * 2; at < weights.size(); at += step) {
    weights[at] = static_cast<char>(weights[at] ^ 5);
  }
  WriteTestFile(path + "/model.safetensors", weights);
}

void Make(const std::string& folder, std::vector<std::string> arguments) {
  for (std::string& argument : arguments) {
    argument = InFolder(argument, folder);
  }
  arguments.insert(arguments.end(), {"--no-sync", "--quiet"});
  const AppRun run = RunForTest(arguments);
  if (run.code != 0) {
    throw std::runtime_error("a source could not be made: " + run.err);
  }
}

}  // namespace lbrx
