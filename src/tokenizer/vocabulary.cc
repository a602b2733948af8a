#include "tokenizer/vocabulary.h"

#include <algorithm>
#include <unordered_set>

#include "core/base/format.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/fault.h"
#include "tokenizer/utf8.h"

namespace lbrx {
namespace {

constexpr float kUnusedScore = -10000;

bool Between(std::string_view text, std::string_view begin, std::string_view end) {
  return text.size() >= begin.size() + end.size() && text.starts_with(begin) && text.ends_with(end);
}

// The token's text as decoding its id gives it.
std::string Decoded(const AddedToken& token, bool byte_level) {
  return token.normalized || !byte_level ? token.content : FromByteAlphabet(token.content);
}

bool HasByteLevelDecoder(const Json& outline) {
  const Json* decoder = outline.Find("decoder");
  const Json* type = decoder == nullptr ? nullptr : decoder->Find("type");
  return type != nullptr && *type == Json("ByteLevel");
}

}  // namespace

bool LooksSpecial(std::string_view token) {
  constexpr std::string_view kOpen = "<\xEF\xBD\x9C";   // "<", full-width "|"
  constexpr std::string_view kClose = "\xEF\xBD\x9C>";  // the reverse
  return token == "<pad>" || token == "<mask>" || token == "<2mass>" || token == "[@BOS@]" ||
         (token.starts_with("<|") && token.ends_with("|>")) ||
         (token.starts_with(kOpen) && token.ends_with(kClose)) || Between(token, "<unused", ">");
}

std::string WithSpaces(std::string_view token) {
  std::string out;
  for (size_t at = 0; at < token.size();) {
    if (token.substr(at, kSpaceMark.size()) == kSpaceMark) {
      out += ' ';
      at += kSpaceMark.size();
    } else {
      out += token[at++];
    }
  }
  return out;
}

Vocabulary PaddedVocabulary(uint64_t size, bool scored) {
  Vocabulary out;
  out.tokens.resize(size);
  for (uint64_t id = 0; id < size; ++id) {
    out.tokens[id] = Format("[PAD{}]", id);
  }
  out.types.assign(size, TokenType::kUnused);
  if (scored) {
    out.scores.assign(size, kUnusedScore);
  }
  return out;
}

uint64_t RowsOf(const TokenizerFolder& folder, const std::vector<AddedToken>& added,
                uint64_t embedding) {
  uint64_t largest = 0;
  for (const auto& [token, id] : folder.hf.vocab) {
    largest = std::max<uint64_t>(largest, id);
  }
  for (const AddedToken& token : added) {
    largest = std::max<uint64_t>(largest, token.id);
  }
  const uint64_t limit =
      embedding != 0 ? embedding : TokenIdLimit(folder.hf.vocab.size() + added.size());
  if (largest >= limit) {
    FailTokenizer(folder.hf.file, "vocabulary",
                  embedding != 0 ? "the embedding has no row for this token id"
                                 : "token id is far beyond the number of tokens",
                  Format("less than {}", limit), std::to_string(largest),
                  "use the tokenizer that belongs to these weights");
  }
  return embedding != 0 ? embedding : largest + 1;
}

Vocabulary ByteLevelVocabulary(const TokenizerFolder& folder, uint64_t size) {
  const std::vector<AddedToken> added = AllAddedTokens(folder);
  Vocabulary out = PaddedVocabulary(RowsOf(folder, added, size), false);
  for (const auto& [token, id] : folder.hf.vocab) {
    out.tokens[id] = token;
    out.types[id] = TokenType::kNormal;
  }
  const bool byte_level = HasByteLevelDecoder(folder.hf.outline);
  for (const AddedToken& token : added) {
    const std::string text = Decoded(token, byte_level);
    const bool control = token.special || LooksSpecial(text);
    out.tokens[token.id] = control ? text : WithSpaces(text);
    out.types[token.id] = control ? TokenType::kControl : TokenType::kUserDefined;
  }
  return out;
}

void Vocabulary::Write(const std::string& file, GgufKeys& keys) const {
  std::unordered_set<std::string_view> seen;
  seen.reserve(tokens.size());
  for (const std::string& token : tokens) {
    if (!seen.insert(token).second) {
      FailTokenizer(file, token, "two ids have this token, which llama.cpp cannot load");
    }
  }
  keys.Set(kTokensKey, GgufValue::Strings(tokens));
  if (!scores.empty()) {
    keys.Set(kScoresKey, GgufValue::F32s(scores));
  }
  std::vector<int32_t> numbers;
  numbers.reserve(types.size());
  for (const TokenType type : types) {
    numbers.push_back(static_cast<int32_t>(type));
  }
  keys.Set(kTypesKey, GgufValue::I32s(numbers));
}

}  // namespace lbrx
