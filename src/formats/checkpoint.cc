#include "formats/checkpoint.h"

#include <algorithm>
#include <memory>
#include <span>

#include "core/base/format.h"
#include "formats/detect.h"
#include "formats/gguf/gguf.h"
#include "formats/huggingface/huggingface.h"
#include "formats/mlx/mlx.h"
#include "formats/names.h"
#include "formats/problems.h"
#include "formats/weight_file.h"

namespace lbrx {

namespace {

// By its magic. A file that is called so and is nothing else that can be read is best told of as
// what it was meant to be.
bool IsGguf(const File& file) {
  constexpr size_t kBraceOfSafetensors = 8;
  std::string head(std::min<uint64_t>(file.Size(), kBraceOfSafetensors + 1), '\0');
  file.ReadAt(0, std::as_writable_bytes(std::span(head)));
  return IsGgufFile(head) || (file.path().ends_with(".gguf") && !head.ends_with('{'));
}

Checkpoint OpenBareFile(const std::string& path, const OpenOptions& options) {
  const std::shared_ptr<File> file = File::OpenRead(path);
  if (IsGguf(*file)) {
    return OpenGguf(path, options);
  }
  Checkpoint checkpoint;
  checkpoint.path = path;
  std::vector<Problem> found;
  WeightFile content = ReadWeightFile(*file, 0, found, options.collect_problems);
  AddUnfinished(path, found);
  ProblemSink problems(options, checkpoint.problems);
  for (Problem& problem : found) {
    problems.Add(std::move(problem));
  }
  checkpoint.files.push_back({path, file->GetFingerprint()});
  const bool torch = !content.torch_layout.empty();
  checkpoint.format = torch ? "torch" : "safetensors";
  checkpoint.reason = torch ? Format("the file is a {} of torch", content.torch_layout)
                            : "the file starts with a safetensors header";
  checkpoint.metadata = std::move(content.metadata);
  checkpoint.arrays = std::move(content.arrays);
  // A bare file has no config.json: what lbrx quantizes into one says how in its own metadata.
  const auto block = checkpoint.metadata.find("quantization");
  if (block == checkpoint.metadata.end()) {
    AddPlainTensors(checkpoint);
  } else {
    Json config = Json::MakeObject();
    config.Set("quantization", ParseJson(block->second, path + ": __metadata__.quantization"));
    GroupMlxTensors(checkpoint, config, options.collect_problems);
    checkpoint.reason += ", and its metadata says how its matrices are quantized";
  }
  checkpoint.BuildIndex();
  return checkpoint;
}

Checkpoint OpenFolder(const std::string& path, const OpenOptions& options) {
  const std::optional<std::string> gguf = GgufInFolder(path);
  return gguf ? OpenGguf(*gguf, options) : OpenHuggingFaceFolder(path, options);
}

}  // namespace

const SourceTensor* Checkpoint::Find(std::string_view name) const {
  const auto found = std::lower_bound(tensors.begin(), tensors.end(), name,
                                      [](const SourceTensor& tensor, std::string_view key) {
                                        return NaturalLess(tensor.name, key);
                                      });
  return found != tensors.end() && found->name == name ? &*found : nullptr;
}

void Checkpoint::BuildIndex() {
  SortNaturally(tensors);
}

void AddPlainTensors(Checkpoint& checkpoint, const std::vector<bool>* claimed) {
  checkpoint.tensors.reserve(checkpoint.arrays.size());
  for (uint32_t i = 0; i < checkpoint.arrays.size(); ++i) {
    if (claimed == nullptr || !(*claimed)[i]) {
      const StoredArray& array = checkpoint.arrays[i];
      checkpoint.tensors.push_back({array.name, Plain(array.dtype), array.shape, {i}});
    }
  }
}

Checkpoint OpenCheckpoint(const std::string& path, const OpenOptions& options) {
  if (PathExists(path)) {
    Checkpoint checkpoint =
        IsDirectory(path) ? OpenFolder(path, options) : OpenBareFile(path, options);
    checkpoint.path = path;
    return checkpoint;
  }
  if (const std::optional<std::string> folder = ResolveHubName(path)) {
    Checkpoint checkpoint = OpenFolder(*folder, options);
    checkpoint.path = path;
    return checkpoint;
  }
  ErrorDetail detail;
  detail.file = path;
  detail.what = "no such file or folder";
  detail.expected =
      "a folder, a .safetensors, .gguf or torch file, or org/name from the Hugging Face cache";
  throw Error(ErrorCode::kIo, std::move(detail));
}

const std::vector<FormatInfo>& Formats() {
  static const std::vector<FormatInfo> table = {
      {"safetensors", "one bare .safetensors file"},
      {"huggingface", "folder as transformers writes it: config.json, *.safetensors, tokenizer"},
      {"torch", "files of torch.save (.bin, .pt, .pth), alone or in such a folder", true, false},
      {"gguf", "one .gguf file or a split set, as llama.cpp reads them"},
      {"mlx", "folder as mlx-lm writes it, quantized matrices in two or three arrays"},
  };
  return table;
}

}  // namespace lbrx
