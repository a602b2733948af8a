#include "convert/folder.h"

#include <algorithm>
#include <map>

#include "convert/card.h"
#include "convert/mlx_fit.h"
#include "convert/target.h"
#include "model/config.h"
#include "model/gguf/embedded.h"
#include "tokenizer/tokenizer.h"

namespace lbrx {
namespace {

// MLX's class reads some keys of text_config from the outermost level.
void RaiseKeys(Json& config) {
  const Wrapper* wrapper = FindWrapper(config);
  if (wrapper == nullptr) {
    return;
  }
  for (const std::string_view key : wrapper->raised_keys) {
    if (const Json* value = TextConfig(config).Find(key); value != nullptr) {
      config.Set(key, Json(*value));
    }
  }
}

// What only the parts beside the text model need.
bool IsForOthers(const SideFile& file) {
  return file.name == "processor_config.json" || file.name == "preprocessor_config.json" ||
         file.name == "video_preprocessor_config.json";
}

// The float dtype that most weights have, or their scales.
DType MainDType(const std::vector<PlannedTensor>& tensors) {
  std::map<DType, uint64_t> weights;
  for (const PlannedTensor& tensor : tensors) {
    if (Info(tensor.output.encoding.dtype).floating) {
      weights[tensor.output.encoding.dtype] += tensor.output.shape.elements();
    }
  }
  const auto most =
      std::max_element(weights.begin(), weights.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == weights.end() ? DType::kBF16 : most->first;
}

// The config.json that --embed-hf put into a GGUF file, where nothing in it has changed since.
std::optional<std::string> EmbeddedConfig(const ConvertRequest& request, const Checkpoint& source,
                                          TargetKind target, const Plan& plan) {
  if (target != TargetKind::kHuggingFace || source.gguf == nullptr ||
      EmbeddingIn(*source.gguf) != Embedding::kCurrent) {
    return std::nullopt;
  }
  const std::optional<DType> dtype = ConfigDType(source.config);
  const bool same = dtype ? *dtype == MainDType(plan.tensors) : !request.dtype;
  return same ? EmbeddedFile(*source.gguf, "config.json") : std::nullopt;
}

Json ConfigFor(const ConvertRequest& request, const Checkpoint& source, const SourceFacts& facts,
               TargetKind target, const Json& quantization, const Plan& plan) {
  Json config = facts.has_config ? source.config : Json::MakeObject();
  config.Erase("quantization");
  config.Erase("quantization_config");
  if (facts.has_config) {
    CompleteConfig(config);
    if (source.gguf != nullptr) {
      SetConfigDType(config, MainDType(plan.tensors));
    } else if (request.dtype) {
      SetConfigDType(config, *request.dtype);
    }
    if (facts.naming.wrapper != nullptr && request.text_only) {
      config = TextOnlyConfig(config, *facts.naming.TextAlone().architecture);
    }
  }
  if (target == TargetKind::kMlx) {
    config.Erase("_name_or_path");
    if (facts.naming.architecture != nullptr) {
      // MLX's default differs from Hugging Face's.
      SetTiedEmbeddings(config, facts.tied);
    }
    RaiseKeys(config);
    if (quantization.is_object()) {
      config.Set("quantization", quantization);
      config.Set("quantization_config", quantization);
    }
  }
  return config;
}

template <typename File>
bool HasTokenizer(const std::vector<File>& files) {
  return std::any_of(files.begin(), files.end(), [](const File& file) {
    return file.name == "tokenizer.json" || file.name == "tokenizer.model" ||
           file.name == "vocab.json" || file.name.ends_with(".tiktoken");
  });
}

}  // namespace

std::vector<OutputText> FilesOfGguf(const Checkpoint& source, std::vector<std::string>& notices) {
  std::vector<OutputText> files;
  if (EmbeddingIn(*source.gguf) == Embedding::kCurrent) {
    files = EmbeddedFiles(*source.gguf);
    std::erase_if(files, [](const OutputText& file) { return file.name == "config.json"; });
  }
  return files.empty() ? TokenizerFiles(*source.gguf, source.config, notices) : files;
}

void AddFolderFiles(const ConvertRequest& request, const Arrangement& from, TargetKind target,
                    const Json& quantization, Plan& plan) {
  const Checkpoint& source = from.source();
  const SourceFacts& facts = from.facts();
  plan.copies = source.side_files;
  for (const OutputText& text : from.texts()) {
    std::erase_if(plan.copies, [&](const SideFile& file) { return file.name == text.name; });
    plan.texts.push_back(text);
  }
  if (request.text_only) {
    std::erase_if(plan.copies, IsForOthers);
  }
  if (source.gguf != nullptr) {
    for (OutputText& file : FilesOfGguf(source, plan.notices)) {
      plan.texts.push_back(std::move(file));
    }
  } else if (!HasTokenizer(plan.copies) && !HasTokenizer(from.texts())) {
    plan.notices.emplace_back("the source has no tokenizer; the result has none either");
  }
  AddCard(request, source, facts, target, plan);
  const Json config = ConfigFor(request, source, facts, target, quantization, plan);
  if (target == TargetKind::kMlx && facts.naming.architecture != nullptr) {
    const Naming naming = NamingInTarget(request, target, facts);
    for (std::string& refusal : MlxRefusals(naming, config, plan.tensors)) {
      plan.notices.push_back(std::move(refusal));
    }
  }
  const std::optional<std::string> embedded = EmbeddedConfig(request, source, target, plan);
  plan.texts.push_back(
      {.name = "config.json", .content = embedded ? *embedded : WriteConfig(target, config)});
}

}  // namespace lbrx
