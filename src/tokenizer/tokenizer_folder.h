// The tokenizer's files of a Hugging Face folder, opened.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/json.h"
#include "formats/writer.h"
#include "tokenizer/hf_tokenizer.h"

namespace lbrx {

// Keys of tokenizer_config.json whose tokens transformers registers as special ones, in its order.
constexpr std::array<std::string_view, 7> kNamedTokens = {
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"};

// Name of the file of a SentencePiece vocabulary.
constexpr const char* kPiecesName = "tokenizer.model";

struct TokenizerFolder {
  std::string path;
  std::vector<OutputText> files;  // where not empty, all that there are, in place of those on disk
  HfTokenizer hf;                 // tokenizer.json; its file is empty where there is none
  Json config;                    // tokenizer_config.json; null where there is none
  std::string sentence_pieces;    // tokenizer.model's path; empty where there is none

  bool has_json() const { return !hf.file.empty(); }

  bool Has(const std::string& name) const;
  // The text of a file of at most `limit` bytes; nullopt where there is none.
  std::optional<std::string> Read(const std::string& name,
                                  uint64_t limit = uint64_t{64} << 20) const;
};

TokenizerFolder OpenTokenizerFolder(const std::string& path, std::vector<OutputText> files = {});

// A token named in tokenizer_config.json, which spells it as a string or as an object with content.
// Empty where there is none.
std::string NamedToken(const Json& config, std::string_view key);

// The entries of tokenizer_config.json's added_tokens_decoder.
std::vector<AddedToken> ConfiguredTokens(const TokenizerFolder& folder);

// tokenizer.json's added tokens, and those that transformers adds by tokenizer_config.json: the
// entries of added_tokens_decoder and the named special tokens.
std::vector<AddedToken> AllAddedTokens(const TokenizerFolder& folder);

}  // namespace lbrx
