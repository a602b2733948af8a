// The tokenizer's files of a Hugging Face folder, opened.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/json.h"
#include "tokenizer/hf_tokenizer.h"

namespace lbrx {

// Keys of tokenizer_config.json whose tokens transformers registers as special ones, in its order.
constexpr std::array<std::string_view, 7> kNamedTokens = {
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"};

struct TokenizerFolder {
  std::string path;
  HfTokenizer hf;               // tokenizer.json; its file is empty where there is none
  Json config;                  // tokenizer_config.json; null where there is none
  std::string sentence_pieces;  // tokenizer.model's path; empty where there is none

  bool has_json() const { return !hf.file.empty(); }
};

TokenizerFolder OpenTokenizerFolder(const std::string& path);

// A token named in tokenizer_config.json, which spells it as a string or as an object with content.
// Empty where there is none.
std::string NamedToken(const Json& config, std::string_view key);

// The entries of tokenizer_config.json's added_tokens_decoder.
std::vector<AddedToken> ConfiguredTokens(const TokenizerFolder& folder);

// tokenizer.json's added tokens, and those that transformers adds by tokenizer_config.json: the
// entries of added_tokens_decoder and the named special tokens.
std::vector<AddedToken> AllAddedTokens(const TokenizerFolder& folder);

}  // namespace lbrx
