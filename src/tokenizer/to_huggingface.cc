// Which files a GGUF file's tokenizer needs in a Hugging Face folder.
#include <algorithm>

#include "core/base/error.h"
#include "core/base/format.h"
#include "tokenizer/bpe_json.h"
#include "tokenizer/chat_templates.h"
#include "tokenizer/gguf_tokenizer.h"
#include "tokenizer/spm_files.h"
#include "tokenizer/tokenizer.h"

namespace lbrx {
namespace {

class FileWriter {
 public:
  FileWriter(const GgufKeys& keys, const Json& config, std::vector<std::string>& notices)
      : keys_(keys), config_(config), notices_(notices), tokenizer_(ReadGgufTokenizer(keys)) {}

  std::vector<OutputText> Write() {
    if (tokenizer_.model.empty()) {
      return {};
    }
    WriteTokenizer();
    std::vector<OutputText> templates;
    Json tokenizer_config = TokenizerConfig();
    WriteChatTemplates(keys_, tokenizer_config, templates);
    Put("tokenizer_config.json", tokenizer_config);
    Put("generation_config.json", GenerationConfig());
    files_.insert(files_.end(), templates.begin(), templates.end());
    return std::move(files_);
  }

 private:
  void Put(const std::string& name, const Json& json) {
    files_.push_back({name, WriteJson(json, {.indent = 2}) + "\n"});
  }

  void WriteTokenizer() {
    const std::string verbatim = keys_.String(kHuggingFaceKey);
    if (!verbatim.empty()) {
      files_.push_back({"tokenizer.json", verbatim});
    } else if (tokenizer_.model == "gpt2" || tokenizer_.model == "gemma4") {
      files_.push_back({"tokenizer.json", BpeJson(keys_, tokenizer_, notices_)});
    } else if (tokenizer_.model == "llama") {
      WriteSentencePieces();
    } else {
      notices_.push_back(
          Format("no tokenizer.json is written: vocabularies of the kind {} are not "
                 "known in Hugging Face's form",
                 Printable(tokenizer_.model, 40)));
    }
  }

  void WriteSentencePieces() {
    files_.push_back({"tokenizer.json", ByteFallbackJson(keys_, tokenizer_)});
    if (std::optional<std::string> pieces = SentencePieceFile(keys_, tokenizer_)) {
      files_.push_back({"tokenizer.model", std::move(*pieces)});
    } else {
      notices_.emplace_back("no tokenizer.model is written: no token stands for what is unknown");
    }
  }

  std::optional<uint64_t> Id(std::string_view role) const {
    return RoleId(keys_, role, tokenizer_);
  }

  Json TokenizerConfig() const {
    Json out = Json::MakeObject();
    for (const RoleKeys& row : kRoleKeys) {
      const std::optional<bool> add = row.add.empty() ? std::nullopt : keys_.Bool(row.add);
      if (add.has_value()) {
        out.Set(Format("add_{}_token", row.role), *add);
      }
    }
    for (const RoleKeys& row : kRoleKeys) {
      if (const std::optional<uint64_t> id = Id(row.role)) {
        out.Set(Format("{}_token", row.role), tokenizer_.tokens[*id]);
      }
    }
    if (tokenizer_.model == "llama") {
      if (const std::optional<bool> prefix = keys_.Bool(kAddSpacePrefixKey)) {
        out.Set("add_prefix_space", *prefix);
      }
      out.Set("added_tokens_decoder", ConfiguredTokensJson(tokenizer_));
    }
    out.Set("clean_up_tokenization_spaces", false);
    if (const Json* length = config_.Find("max_position_embeddings")) {
      out.Set("model_max_length", *length);
    }
    out.Set("tokenizer_class", "PreTrainedTokenizerFast");
    return out;
  }

  // Generation stops at the end of the text and of a turn.
  Json GenerationConfig() const {
    Json out = Json::MakeObject();
    if (const std::optional<uint64_t> bos = Id("bos")) {
      out.Set("bos_token_id", *bos);
    }
    Json ends = Json::MakeArray();
    for (const std::string_view role : {"eos", "eot", "eom"}) {
      const std::optional<uint64_t> id = Id(role);
      const Json::Array& known = ends.AsArray();
      if (id.has_value() && std::find(known.begin(), known.end(), Json(*id)) == known.end()) {
        ends.Append(*id);
      }
    }
    if (ends.AsArray().size() == 1) {
      out.Set("eos_token_id", ends.AsArray().front());
    } else if (!ends.AsArray().empty()) {
      out.Set("eos_token_id", std::move(ends));
    }
    if (const std::optional<uint64_t> pad = Id("pad")) {
      out.Set("pad_token_id", *pad);
    }
    return out;
  }

  const GgufKeys& keys_;
  const Json& config_;
  std::vector<std::string>& notices_;
  GgufTokenizer tokenizer_;
  std::vector<OutputText> files_;
};

}  // namespace

std::vector<OutputText> TokenizerFiles(const GgufKeys& keys, const Json& config,
                                       std::vector<std::string>& notices) {
  return FileWriter(keys, config, notices).Write();
}

}  // namespace lbrx
