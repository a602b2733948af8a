#include "tokenizer/spm_files.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "tokenizer/hf_writer.h"
#include "tokenizer/sentencepiece.h"
#include "tokenizer/utf8.h"

namespace lbrx {
namespace {

constexpr float kAddedScore = -1000;  // as the converter gives
constexpr uint64_t kBytes = 256;

bool PutsSpace(const GgufKeys& keys) {
  return keys.Bool(kAddSpacePrefixKey).value_or(true);
}

bool WasAdded(const GgufTokenizer& tokenizer, uint64_t id) {
  return tokenizer.IsAdded(id) &&
         (tokenizer.scores[id] == kAddedScore || tokenizer.HasType(id, TokenType::kUserDefined));
}

struct Merge {
  std::string_view left;
  std::string_view right;
  float score;
};

// All ways to make a token out of two, the better tokens first; of one score the longer left
// pieces, then right pieces, as transformers orders them.
std::vector<std::pair<std::string_view, std::string_view>> MergesByScore(
    const GgufTokenizer& tokenizer, const HfParts& parts) {
  const std::unordered_map<std::string_view, uint64_t> ids(parts.vocab.begin(), parts.vocab.end());
  std::vector<Merge> merges;
  for (const auto& [token, id] : parts.vocab) {
    if (!tokenizer.HasType(id, TokenType::kNormal)) {
      continue;
    }
    const size_t first = merges.size();
    for (size_t at = Utf8Length(token); at < token.size(); at += Utf8Length(token.substr(at))) {
      const std::string_view left = token.substr(0, at);
      const std::string_view right = token.substr(at);
      if (ids.count(left) != 0 && ids.count(right) != 0) {
        merges.push_back({left, right, tokenizer.scores[id]});
      }
    }
    std::sort(merges.begin() + static_cast<std::ptrdiff_t>(first), merges.end(),
              [&](const Merge& a, const Merge& b) { return ids.at(a.left) < ids.at(b.left); });
  }
  std::stable_sort(merges.begin(), merges.end(), [](const Merge& a, const Merge& b) {
    if (a.score != b.score) {
      return a.score > b.score;
    }
    const size_t left_a = CountCharacters(a.left);
    const size_t left_b = CountCharacters(b.left);
    return left_a != left_b ? left_a > left_b : CountCharacters(a.right) > CountCharacters(b.right);
  });
  std::vector<std::pair<std::string_view, std::string_view>> out;
  out.reserve(merges.size());
  for (const Merge& merge : merges) {
    out.emplace_back(merge.left, merge.right);
  }
  return out;
}

// Pieces have no spaces of their own; the converter gives user-defined ones some.
std::string WithMarks(std::string_view token) {
  std::string out;
  for (const char c : token) {
    if (c == ' ') {
      out += kSpaceMark;
    } else {
      out += c;
    }
  }
  return out;
}

// Of the list without what is added or fills it at the end.
uint64_t CountPieces(const GgufTokenizer& tokenizer) {
  uint64_t count = tokenizer.tokens.size();
  while (count > 0 && (tokenizer.IsPadding(count - 1) || WasAdded(tokenizer, count - 1))) {
    --count;
  }
  return count;
}

// The one piece for what is unknown.
std::optional<uint64_t> UnknownPiece(const GgufKeys& keys, const GgufTokenizer& tokenizer) {
  for (uint64_t id = 0; id < tokenizer.tokens.size(); ++id) {
    if (tokenizer.HasType(id, TokenType::kUnknown) && !tokenizer.IsPadding(id)) {
      return id;
    }
  }
  return RoleId(keys, "unk", tokenizer);
}

int32_t PieceId(const GgufKeys& keys, const GgufTokenizer& tokenizer, std::string_view role) {
  const std::optional<uint64_t> id = RoleId(keys, role, tokenizer);
  return id.has_value() ? static_cast<int32_t>(*id) : -1;
}

SentencePiece PieceOf(const GgufTokenizer& tokenizer, uint64_t id, uint64_t unknown, bool bytes) {
  SentencePiece piece = {tokenizer.tokens[id], tokenizer.scores[id], tokenizer.types[id]};
  if (id == unknown) {
    piece.type = TokenType::kUnknown;
  } else if (piece.type == TokenType::kUnknown) {
    piece.type = TokenType::kControl;
  } else if (piece.type == TokenType::kByte && !bytes) {
    piece.type = TokenType::kNormal;  // SentencePiece takes all of them or none
  }
  return piece;
}

}  // namespace

std::string ByteFallbackJson(const GgufKeys& keys, const GgufTokenizer& tokenizer) {
  HfParts parts;
  DivideTokens(tokenizer, keys, parts);
  parts.merges = MergesByScore(tokenizer, parts);
  SetSpaceMarks(PutsSpace(keys), parts);
  parts.post_processor = WritePostProcessor(keys, tokenizer);
  if (const std::optional<uint64_t> unknown = UnknownPiece(keys, tokenizer)) {
    parts.unk_token = tokenizer.tokens[*unknown];
  }
  parts.fuse_unk = true;
  return WriteHfTokenizer(parts);
}

std::optional<std::string> SentencePieceFile(const GgufKeys& keys, const GgufTokenizer& tokenizer) {
  const std::optional<uint64_t> unknown = UnknownPiece(keys, tokenizer);
  const uint64_t count = std::max(CountPieces(tokenizer), unknown.value_or(0) + 1);
  if (!unknown.has_value() || count > tokenizer.tokens.size()) {
    return std::nullopt;
  }
  SentencePieceModel model;
  model.kind = SentencePieceModel::Kind::kBpe;
  model.byte_fallback = std::count(tokenizer.types.begin(),
                                   tokenizer.types.begin() + static_cast<std::ptrdiff_t>(count),
                                   TokenType::kByte) == kBytes;
  model.add_dummy_prefix = PutsSpace(keys);
  model.remove_extra_whitespaces = false;
  model.unk = static_cast<int32_t>(*unknown);
  model.bos = PieceId(keys, tokenizer, "bos");
  model.eos = PieceId(keys, tokenizer, "eos");
  model.pad = PieceId(keys, tokenizer, "pad");
  std::unordered_set<std::string> texts(
      tokenizer.tokens.begin(), tokenizer.tokens.begin() + static_cast<std::ptrdiff_t>(count));
  for (uint64_t id = 0; id < count; ++id) {
    SentencePiece piece = PieceOf(tokenizer, id, *unknown, model.byte_fallback);
    const bool given = tokenizer.HasType(id, TokenType::kUserDefined);
    const std::string marked = given ? WithMarks(piece.text) : piece.text;
    if (marked != piece.text && texts.insert(marked).second) {
      piece.text = marked;
    }
    model.pieces.push_back(std::move(piece));
  }
  return WriteSentencePieces(model);
}

Json ConfiguredTokensJson(const GgufTokenizer& tokenizer) {
  Json out = Json::MakeObject();
  for (uint64_t id = 0; id < tokenizer.tokens.size(); ++id) {
    if (WasAdded(tokenizer, id)) {
      Json::Object token = {{"content", tokenizer.tokens[id]},
                            {"lstrip", false},
                            {"normalized", false},
                            {"rstrip", false},
                            {"single_word", false},
                            {"special", !tokenizer.HasType(id, TokenType::kUserDefined)}};
      out.AsObject().emplace_back(std::to_string(id), std::move(token));
    }
  }
  return out;
}

}  // namespace lbrx
