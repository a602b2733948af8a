#include "convert/folder.h"

#include <algorithm>

#include "model/config.h"

namespace lbrx {
namespace {

Json ConfigFor(const ConvertRequest& request, const Checkpoint& source, const SourceFacts& facts,
               TargetKind target, const Json& quantization) {
  Json config = facts.has_config ? source.config : Json::MakeObject();
  config.Erase("quantization");
  config.Erase("quantization_config");
  if (facts.has_config) {
    CompleteConfig(config);
    if (request.dtype) {
      SetConfigDType(config, *request.dtype);
    }
  }
  if (target == TargetKind::kMlx) {
    config.Erase("_name_or_path");
    if (facts.architecture != nullptr) {
      // MLX's default differs from Hugging Face's.
      config.Set("tie_word_embeddings", facts.tied);
    }
    if (quantization.is_object()) {
      config.Set("quantization", quantization);
      config.Set("quantization_config", quantization);
    }
  }
  return config;
}

bool HasTokenizer(const std::vector<SideFile>& files) {
  return std::any_of(files.begin(), files.end(), [](const SideFile& file) {
    return file.name == "tokenizer.json" || file.name == "tokenizer.model" ||
           file.name == "vocab.json" || file.name.ends_with(".tiktoken");
  });
}

}  // namespace

void AddFolderFiles(const ConvertRequest& request, const Checkpoint& source,
                    const SourceFacts& facts, TargetKind target, const Json& quantization,
                    Plan& plan) {
  plan.copies = source.side_files;
  if (!HasTokenizer(plan.copies)) {
    plan.notices.emplace_back("the source has no tokenizer; the result has none either");
  }
  const Json config = ConfigFor(request, source, facts, target, quantization);
  plan.texts.push_back({.name = "config.json", .content = WriteConfig(target, config)});
}

}  // namespace lbrx
