#include "tokenizer/gguf_tokenizer.h"

#include <unordered_set>

#include "core/base/format.h"
#include "tokenizer/fault.h"
#include "tokenizer/pre_patterns.h"
#include "tokenizer/utf8.h"

namespace lbrx {
namespace {

[[noreturn]] void FailKey(std::string_view key, std::string what, std::string expected = {},
                          std::string found = {}) {
  FailTokenizer("", key, std::move(what), std::move(expected), std::move(found));
}

const std::vector<std::string>& Strings(const GgufValue& value, std::string_view key) {
  const std::vector<std::string>* strings = value.AsStrings();
  if (strings == nullptr) {
    FailKey(key, "key of another type", "an array of strings");
  }
  return *strings;
}

void CheckLength(uint64_t length, uint64_t tokens, std::string_view key) {
  if (length < tokens) {
    FailKey(key, "list is shorter than that of the tokens", Format("{} values", tokens),
            std::to_string(length));
  }
}

void ReadTokens(const GgufValue& value, GgufTokenizer& out) {
  out.tokens = Strings(value, kTokensKey);
  std::unordered_set<std::string_view> seen;
  seen.reserve(out.tokens.size());
  for (uint64_t id = 0; id < out.tokens.size(); ++id) {
    std::string& token = out.tokens[id];
    if (token.empty()) {
      token = Format("[EMPTY_{}]", id);  // as llama.cpp names it
    }
    if (!IsUtf8(token)) {
      FailKey(kTokensKey, "token is not UTF-8", "", Printable(token, 60));
    }
    if (!seen.insert(token).second) {
      FailKey(kTokensKey, "token appears twice", "every token once", Printable(token, 60));
    }
  }
}

void ReadTypes(const GgufKeys& keys, GgufTokenizer& out) {
  out.types.assign(out.tokens.size(), TokenType::kNormal);
  const GgufValue* value = keys.Find(kTypesKey);
  if (value == nullptr) {
    return;
  }
  const auto types = value->AsInts();
  if (!types.has_value()) {
    FailKey(kTypesKey, "key of another type", "an array of whole numbers");
  }
  CheckLength(types->size(), out.tokens.size(), kTypesKey);
  for (uint64_t id = 0; id < out.tokens.size(); ++id) {
    const int64_t type = (*types)[id];
    if (type >= static_cast<int64_t>(TokenType::kNormal) &&
        type <= static_cast<int64_t>(TokenType::kByte)) {
      out.types[id] = static_cast<TokenType>(type);
    }
  }
}

void ReadScores(const GgufKeys& keys, GgufTokenizer& out) {
  out.scores.assign(out.tokens.size(), 0);
  const GgufValue* value = keys.Find(kScoresKey);
  if (value == nullptr) {
    return;
  }
  const auto scores = value->AsNumbers();
  if (!scores.has_value()) {
    FailKey(kScoresKey, "key of another type", "an array of numbers");
  }
  CheckLength(scores->size(), out.tokens.size(), kScoresKey);
  for (uint64_t id = 0; id < out.tokens.size(); ++id) {
    out.scores[id] = static_cast<float>((*scores)[id]);
  }
}

void ReadMerges(const GgufKeys& keys, GgufTokenizer& out) {
  const GgufValue* value = keys.Find(kMergesKey);
  if (value == nullptr) {
    return;
  }
  for (const std::string& merge : Strings(*value, kMergesKey)) {
    const size_t space = merge.find(' ', 1);  // the first piece may begin with a space
    if (space == std::string::npos || !IsUtf8(merge)) {
      FailKey(kMergesKey, "merge is not two pieces of text", "\"left right\"",
              Printable(merge, 60));
    }
    out.merges.emplace_back(merge.substr(0, space), merge.substr(space + 1));
  }
}

}  // namespace

bool GgufTokenizer::IsPadding(uint64_t id) const {
  // Old converters called them unknown.
  return (types[id] == TokenType::kUnused || types[id] == TokenType::kUnknown) &&
         tokens[id] == Format("[PAD{}]", id);
}

GgufTokenizer ReadGgufTokenizer(const GgufKeys& keys) {
  GgufTokenizer out;
  const GgufValue* tokens = keys.Find(kTokensKey);
  if (tokens == nullptr) {
    return out;
  }
  out.model = keys.String(kModelKey);
  out.pre = keys.String(kPreKey);
  if (out.model == "gemma4") {
    out.pre = out.model;
  } else if (out.pre.empty()) {
    out.pre = "default";
  }
  ReadTokens(*tokens, out);
  ReadTypes(keys, out);
  ReadScores(keys, out);
  ReadMerges(keys, out);
  if ((out.model == "gpt2" || out.model == "gemma4") && out.merges.empty()) {
    FailKey(kMergesKey, "BPE without merges");
  }
  return out;
}

std::optional<uint64_t> RoleId(const GgufKeys& keys, std::string_view role,
                               const GgufTokenizer& tokenizer) {
  const RoleKeys* row = KeysOfRole(role);
  std::optional<uint64_t> id = keys.Uint(row->id);
  if (!id.has_value() && role == "sep") {
    id = keys.Uint("tokenizer.ggml.separator_token_id");  // as the format's document spells it
  }
  if (!id.has_value() && tokenizer.model == "llama") {
    id = role == "unk"   ? std::optional<uint64_t>(0)
         : role == "bos" ? std::optional<uint64_t>(1)
         : role == "eos" ? std::optional<uint64_t>(2)
                         : std::nullopt;
  }
  return id.has_value() && *id < tokenizer.tokens.size() ? id : std::nullopt;
}

bool AddsRole(const GgufKeys& keys, const GgufTokenizer& tokenizer, std::string_view role) {
  if (const std::optional<bool> add = keys.Bool(KeysOfRole(role)->add)) {
    return *add;
  }
  if (role != "bos") {
    return false;
  }
  const PreName* pre = FindPreName(tokenizer.pre);
  return tokenizer.model == "llama" || (pre != nullptr && pre->add_bos);
}

}  // namespace lbrx
