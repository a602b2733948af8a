#include "merge/merged_tokenizer.h"

#include <algorithm>

#include "convert/folder.h"
#include "core/base/error.h"
#include "merge/tokenizer/chat_template.h"
#include "merge/tokenizer/output_files.h"
#include "model/config.h"

namespace lbrx {
namespace {

ModelTokenizer TokenizerOf(const MergeModel& model, std::vector<std::string>& notices) {
  const Checkpoint& checkpoint = *model.checkpoint;
  ModelTokenizer out;
  out.name = model.label;
  if (model.naming.architecture != nullptr) {
    out.vocab_size =
        ConfigUint(TextConfig(checkpoint.config), model.naming.architecture->keys.vocabulary)
            .value_or(0);
  }
  if (checkpoint.gguf != nullptr) {
    out.files = FilesOfGguf(checkpoint, notices);
    std::erase_if(out.files, [](const OutputText& file) { return !IsTokenizerFile(file.name); });
  } else if (!checkpoint.folder.empty()) {
    out.files = ReadTokenizerFiles({.folder = checkpoint.folder,
                                    .config = checkpoint.config,
                                    .vocabulary = out.vocab_size,
                                    .architecture = ""},
                                   notices);
  }
  return out;
}

TokenSource SourceOf(const TokenRule& rule, const MergeModels& models) {
  TokenSource out;
  out.force = rule.force;
  switch (rule.kind) {
    case TokenRule::Kind::kDefault:
      return out;
    case TokenRule::Kind::kZero:
      out.kind = TokenSource::Kind::kZero;
      return out;
    case TokenRule::Kind::kModel:
      out.kind = TokenSource::Kind::kModel;
      break;
    case TokenRule::Kind::kModelToken:
      out.kind = rule.of_id ? TokenSource::Kind::kId : TokenSource::Kind::kToken;
      out.token = rule.of_token.value_or("");
      out.id = rule.of_id.value_or(0);
      break;
  }
  out.model = static_cast<uint32_t>(models.IndexOf(rule.model));
  return out;
}

// Only models that are merged have rows to take.
void RequireMerged(const MergeConfig& config, const TokenRule& rule) {
  const std::vector<ModelRef> merged = ReferencedModels(config);
  const bool by_model =
      rule.kind == TokenRule::Kind::kModel || rule.kind == TokenRule::Kind::kModelToken;
  if (by_model && std::find(merged.begin(), merged.end(), rule.model) == merged.end()) {
    throw Error(ErrorCode::kUsage, {.file = config.file,
                                    .object = "tokenizer.tokens." + Printable(rule.token, 60),
                                    .what = "its row is taken from a model that is not merged",
                                    .expected = "one of the models of this file",
                                    .found = ToString(rule.model),
                                    .offset = {},
                                    .advice = "spell it as under models"});
  }
}

TokenizerRequest RequestOf(const TokenizerBlock& block, const MergeModels& models) {
  TokenizerRequest out;
  switch (block.source.choice) {
    case TokenizerChoice::kUnion:
      out.source = TokenizerRequest::Source::kUnion;
      break;
    case TokenizerChoice::kBase:
      out.source = TokenizerRequest::Source::kBase;
      break;
    case TokenizerChoice::kModel:
      out.source = TokenizerRequest::Source::kModel;
      out.model = static_cast<uint32_t>(models.IndexOf(block.source.model));
      break;
  }
  for (const TokenRule& rule : block.tokens) {
    out.tokens.emplace_back(rule.token, SourceOf(rule, models));
  }
  out.pad_to_multiple_of = block.pad_to_multiple_of;
  return out;
}

}  // namespace

std::vector<ModelRef> ModelsOfTokenizer(const MergeConfig& config) {
  const std::vector<ModelRef> known = ReferencedModels(config);
  std::vector<ModelRef> out;
  const auto add = [&](const ModelRef& ref) {
    const auto is_ref = [&](const ModelRef& other) { return other == ref; };
    if (std::none_of(known.begin(), known.end(), is_ref) &&
        std::none_of(out.begin(), out.end(), is_ref)) {
      out.push_back(ref);
    }
  };
  if (config.tokenizer && config.tokenizer->source.choice == TokenizerChoice::kModel) {
    add(config.tokenizer->source.model);
  }
  return out;
}

MergedTokenizer PlanTokenizer(const MergeConfig& config, const MergeModels& models, uint32_t donor,
                              std::vector<std::string>& notices) {
  MergedTokenizer out;
  if (!config.tokenizer && config.chat_template.empty()) {
    return out;
  }
  std::vector<ModelTokenizer> tokenizers;
  for (size_t i = 0; i < models.size(); ++i) {
    tokenizers.push_back(TokenizerOf(models[i], notices));
  }
  if (config.tokenizer) {
    for (const TokenRule& rule : config.tokenizer->tokens) {
      RequireMerged(config, rule);
    }
    const auto vocabulary = std::make_shared<const OutputVocabulary>(
        BuildOutputVocabulary(tokenizers, donor, RequestOf(*config.tokenizer, models), notices));
    out.files = OutputTokenizerFiles(tokenizers[vocabulary->donor], *vocabulary, notices);
    out.vocabulary = vocabulary;
  } else {
    out.files = tokenizers[donor].files;
  }
  if (!config.chat_template.empty()) {
    if (const auto text = ChooseChatTemplate(config.chat_template, tokenizers, notices)) {
      SetChatTemplate(*text, out.files);
    }
  }
  return out;
}

}  // namespace lbrx
