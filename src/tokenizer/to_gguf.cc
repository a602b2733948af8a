// Which kind of vocabulary a folder has, and its keys in the converter's order. Architectures
// differ in which file they prefer and in a few keys: conversion/*.py of llama.cpp.
#include <algorithm>
#include <initializer_list>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/io/file.h"
#include "tokenizer/chat_templates.h"
#include "tokenizer/fault.h"
#include "tokenizer/pre_patterns.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/special_tokens.h"
#include "tokenizer/spm_vocabulary.h"
#include "tokenizer/token_keys.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_folder.h"
#include "tokenizer/vocabulary.h"

namespace lbrx {
namespace {

constexpr uint64_t kPiecesLimit = uint64_t{64} << 20;  // the largest published are 5 MB

// Sizes of vocabularies by which the converter knows CodeLlama and Granite's small models.
constexpr uint64_t kCodeLlama = 32016;
constexpr uint64_t kSmallGranite = 49152;

class KeyWriter {
 public:
  KeyWriter(const TokenizerSource& source, const std::string& pre, GgufKeys& keys,
            std::vector<std::string>& notices)
      : source_(source),
        pre_(pre),
        folder_(OpenTokenizerFolder(source.folder, source.files)),
        keys_(keys),
        notices_(notices) {}

  void Write() {
    if (IsOneOf({"llama", "smollm3", "granite", "granitemoe"})) {
      const Json* prefix = folder_.config.Find("add_prefix_space");
      if (prefix != nullptr && prefix->is_bool()) {
        keys_.Set(kAddSpacePrefixKey, GgufValue::Bool(prefix->AsBool()));
      }
    }
    WriteVocabulary();
    special_.Write(keys_);
    AddChatTemplates(folder_, keys_, notices_);
    WriteNormalizer(folder_.hf.outline.Find("normalizer"));
    if (source_.architecture == "llama" && source_.vocabulary == kSmallGranite) {
      keys_.Set(KeysOfRole("bos")->add, GgufValue::Bool(false));
    }
    if (spaces_ == Spaces::kNoPrefix && keys_.Find(kAddSpacePrefixKey) == nullptr) {
      keys_.Set(kAddSpacePrefixKey, GgufValue::Bool(false));
    }
  }

 private:
  // Whether a SentencePiece vocabulary puts a space before a text; others have no such key.
  enum class Spaces : uint8_t { kNone, kPrefix, kNoPrefix };

  bool IsOneOf(std::initializer_list<std::string_view> architectures) const {
    return std::find(architectures.begin(), architectures.end(), source_.architecture) !=
           architectures.end();
  }

  // tokenizer.model comes first for the families that have it, as its scores are exact. The others
  // take it where tokenizer.json is no byte-level BPE.
  void WriteVocabulary() {
    const bool byte_level =
        folder_.has_json() && folder_.hf.model == "BPE" && !folder_.hf.byte_fallback;
    const bool pieces_first = IsOneOf({"llama", "smollm3", "granite", "granitemoe", "gemma",
                                       "gemma2", "gemma3", "gemma3n", "qwen2", "deepseek"});
    if (!folder_.sentence_pieces.empty() && (pieces_first || !byte_level)) {
      WriteSentencePieces();
    } else if (byte_level) {
      WriteByteLevel();
    } else if (folder_.has_json() && folder_.hf.model == "BPE") {
      WriteByteFallback();
    } else if (folder_.has_json()) {
      FailTokenizer(folder_.hf.file, "model", "vocabularies of this kind cannot be converted",
                    "BPE, or tokenizer.model beside it", Printable(folder_.hf.model, 40));
    } else {
      ErrorDetail detail;
      detail.file = source_.folder;
      detail.what = "there is no tokenizer";
      detail.expected = "tokenizer.json or tokenizer.model";
      throw Error(ErrorCode::kIo, std::move(detail));
    }
  }

  void WriteByteLevel() {
    const std::string pre = PreTokenizerName(folder_.hf, pre_, source_.architecture);
    keys_.Set(kModelKey, GgufValue::String("gpt2"));
    keys_.Set(kPreKey, GgufValue::String(pre));
    ByteLevelVocabulary(folder_, source_.vocabulary).Write(folder_.hf.file, keys_);
    keys_.Set(kMergesKey, GgufValue::Strings(folder_.hf.merges));
    special_ = ReadSpecialTokens(folder_, source_.config, source_.vocabulary, notices_);
    SetGlmRoles();
    if (FindPreName(pre)->add_bos) {
      special_.AddUnlessSet("bos", false);  // llama.cpp adds it unless told otherwise
    }
  }

  void WriteSentencePieces() {
    const std::string& file = folder_.sentence_pieces;
    const SentencePieceModel model =
        ReadSentencePieces(*folder_.Read(kPiecesName, kPiecesLimit), file);
    if (model.kind == SentencePieceModel::Kind::kUnigram) {
      notices_.emplace_back(
          "tokenizer.model is a unigram model: llama.cpp merges its pieces by "
          "their scores, which can cut a text in another way");
    }
    WriteScored(SentencePieceVocabulary(folder_, model, source_.vocabulary,
                                        source_.architecture == "phi3", notices_),
                file, model.add_dummy_prefix);
  }

  void WriteByteFallback() {
    WriteScored(ByteFallbackVocabulary(folder_, source_.vocabulary), folder_.hf.file,
                PrefixesSpace(folder_.hf.outline));
  }

  void WriteScored(const Vocabulary& vocabulary, const std::string& file, bool prefix) {
    keys_.Set(kModelKey, GgufValue::String("llama"));
    keys_.Set(kPreKey, GgufValue::String("default"));
    vocabulary.Write(file, keys_);
    special_ = ReadSpecialTokens(folder_, source_.config, vocabulary.tokens.size(), notices_);
    special_.AddUnlessSet("bos", true);  // llama.cpp's own default
    if (source_.vocabulary == kCodeLlama && source_.architecture == "llama") {
      special_.SetId("eot", 32010);
    }
    if (source_.architecture == "gemma") {
      special_.SetId("eot", 107);  // <end_of_turn>
    }
    const bool gemma = IsOneOf({"gemma", "gemma2", "gemma3", "gemma3n"});
    spaces_ = prefix && !gemma ? Spaces::kPrefix : Spaces::kNoPrefix;
  }

  // Roles that GLM's files do not name.
  void SetGlmRoles() {
    if (source_.architecture == "glm4") {
      SetRole("eos", "<|endoftext|>");
      SetRole("eot", "<|user|>");
      SetRole("unk", "<|endoftext|>");
      SetRole("bos", "<|endoftext|>");
    } else if (source_.architecture == "glm4moe") {
      SetRole("bos", "[gMASK]");
      SetRole("eot", "<|user|>");
      SetRole("unk", "<|endoftext|>");
      SetRole("eom", "<|observation|>");
    }
  }

  void SetRole(const char* role, std::string_view token) {
    for (const AddedToken& added : folder_.hf.added) {
      if (added.content == token) {
        special_.SetId(role, added.id);
      }
    }
  }

  // What llama.cpp does to a text first.
  void WriteNormalizer(const Json* normalizer) {
    const Json* type = normalizer == nullptr ? nullptr : normalizer->Find("type");
    if (type == nullptr || !type->is_string()) {
      return;
    }
    if (const Json* steps = normalizer->Find("normalizers");
        steps != nullptr && steps->is_array()) {
      for (const Json& step : steps->AsArray()) {
        WriteNormalizer(&step);
      }
    } else if (*type == Json("Lowercase")) {
      keys_.Set(kLowercaseKey, GgufValue::Bool(true));
    } else if (*type == Json("StripAccents")) {
      keys_.Set(kStripAccentsKey, GgufValue::Bool(true));
    }
  }

  const TokenizerSource& source_;
  const std::string& pre_;
  TokenizerFolder folder_;
  GgufKeys& keys_;
  std::vector<std::string>& notices_;
  SpecialTokens special_;
  Spaces spaces_ = Spaces::kNone;
};

}  // namespace

void AddTokenizerKeys(const TokenizerSource& source, const std::string& pre, GgufKeys& keys,
                      std::vector<std::string>& notices) {
  KeyWriter(source, pre, keys, notices).Write();
}

}  // namespace lbrx
