// Names of GGUF's tokenizer keys. Source: llama.cpp's gguf-py, constants.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace lbrx {

constexpr std::string_view kModelKey = "tokenizer.ggml.model";
constexpr std::string_view kPreKey = "tokenizer.ggml.pre";
constexpr std::string_view kTokensKey = "tokenizer.ggml.tokens";
constexpr std::string_view kTypesKey = "tokenizer.ggml.token_type";
constexpr std::string_view kScoresKey = "tokenizer.ggml.scores";
constexpr std::string_view kMergesKey = "tokenizer.ggml.merges";
constexpr std::string_view kAddSpacePrefixKey = "tokenizer.ggml.add_space_prefix";
constexpr std::string_view kRemoveSpacesKey = "tokenizer.ggml.remove_extra_whitespaces";
constexpr std::string_view kLowercaseKey = "tokenizer.ggml.normalizer.lowercase";
constexpr std::string_view kStripAccentsKey = "tokenizer.ggml.normalizer.strip_accents";
constexpr std::string_view kHuggingFaceKey = "tokenizer.huggingface.json";
constexpr std::string_view kChatTemplateKey = "tokenizer.chat_template";
constexpr std::string_view kChatTemplatesKey = "tokenizer.chat_templates";

// Values of kTypesKey; SentencePiece has the same numbers.
enum class TokenType : int32_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

// A token with a role: its name in tokenizer_config.json ("bos" of "bos_token"), and its keys.
struct RoleKeys {
  std::string_view role;
  std::string_view id;   // key of its id
  std::string_view add;  // key of whether it is added to every text; empty: never
};

// The first eight are those that the converter writes; the others, which come from other programs,
// are carried.
constexpr std::array<RoleKeys, 14> kRoleKeys = {{
    {"bos", "tokenizer.ggml.bos_token_id", "tokenizer.ggml.add_bos_token"},
    {"eos", "tokenizer.ggml.eos_token_id", "tokenizer.ggml.add_eos_token"},
    {"unk", "tokenizer.ggml.unknown_token_id", ""},
    {"sep", "tokenizer.ggml.seperator_token_id", "tokenizer.ggml.add_sep_token"},
    {"pad", "tokenizer.ggml.padding_token_id", ""},
    {"mask", "tokenizer.ggml.mask_token_id", ""},
    {"eot", "tokenizer.ggml.eot_token_id", ""},
    {"eom", "tokenizer.ggml.eom_token_id", ""},
    {"fim_pre", "tokenizer.ggml.fim_pre_token_id", ""},
    {"fim_suf", "tokenizer.ggml.fim_suf_token_id", ""},
    {"fim_mid", "tokenizer.ggml.fim_mid_token_id", ""},
    {"fim_pad", "tokenizer.ggml.fim_pad_token_id", ""},
    {"fim_rep", "tokenizer.ggml.fim_rep_token_id", ""},
    {"fim_sep", "tokenizer.ggml.fim_sep_token_id", ""},
}};

// nullptr for roles without keys ("cls").
constexpr const RoleKeys* KeysOfRole(std::string_view role) {
  for (const RoleKeys& row : kRoleKeys) {
    if (row.role == role) {
      return &row;
    }
  }
  return nullptr;
}

}  // namespace lbrx
