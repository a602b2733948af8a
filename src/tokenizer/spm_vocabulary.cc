#include "tokenizer/spm_vocabulary.h"

#include <algorithm>
#include <unordered_map>

#include "core/base/format.h"
#include "core/io/file.h"
#include "tokenizer/fault.h"
#include "tokenizer/utf8.h"

namespace lbrx {
namespace {

constexpr float kAddedScore = -1000;

// Puts added tokens over the pieces.
class Overlay {
 public:
  Overlay(Vocabulary& vocabulary, std::vector<std::string>& notices)
      : vocabulary_(vocabulary), notices_(notices) {}

  void Set(uint64_t id, std::string text, TokenType type) {
    if (id >= vocabulary_.tokens.size()) {
      notices_.push_back(Format("token {} ({}) is left out: there are {} tokens", id,
                                Printable(text, 40), vocabulary_.tokens.size()));
      return;
    }
    vocabulary_.tokens[id] = std::move(text);
    vocabulary_.scores[id] = kAddedScore;
    vocabulary_.types[id] = type;
  }

  // added_tokens.json: {token: id}.
  void SetFile(const TokenizerFolder& folder, const std::string& name) {
    if (const std::optional<std::string> text = folder.Read(name)) {
      const Json file = ParseJson(*text, JoinPath(folder.path, name));
      for (const auto& [token, id] : file.AsObject()) {
        Set(id.AsUint64(), token, TokenType::kUserDefined);
      }
    }
  }

  // By their flag, or by their look where `looks`.
  void SetAdded(const AddedToken& token, bool looks) {
    if (token.special || (looks && LooksSpecial(token.content))) {
      Set(token.id, token.content, TokenType::kControl);
    } else {
      Set(token.id, looks ? WithSpaces(token.content) : token.content, TokenType::kUserDefined);
    }
  }

 private:
  Vocabulary& vocabulary_;
  std::vector<std::string>& notices_;
};

// Scores of the tokens that merges make: the better, the earlier. SentencePiece counts down by id;
// where the merges have that order too, so do the scores.
std::unordered_map<uint32_t, float> ScoresOfMerges(const HfTokenizer& tokenizer) {
  std::unordered_map<std::string_view, uint32_t> ids(tokenizer.vocab.begin(),
                                                     tokenizer.vocab.end());
  std::vector<uint32_t> order;  // tokens as the merges first make them
  std::unordered_map<uint32_t, float> scores;
  std::string merged;
  for (const std::string& merge : tokenizer.merges) {
    merged = merge;
    const size_t space = merged.find(' ', 1);
    if (space == std::string::npos) {
      FailTokenizer(tokenizer.file, merge, "merge is not two pieces");
    }
    merged.erase(space, 1);
    if (const auto id = ids.find(merged); id != ids.end()) {
      if (scores.emplace(id->second, -static_cast<float>(scores.size())).second) {
        order.push_back(id->second);
      }
    }
  }
  if (std::is_sorted(order.begin(), order.end())) {
    for (auto& [id, score] : scores) {
      score = -static_cast<float>(id - order.front());
    }
  }
  return scores;
}

bool IsByteToken(std::string_view token) {
  return token.size() == 6 && token.starts_with("<0x") && token.ends_with(">") &&
         token.find_first_not_of("0123456789ABCDEFabcdef", 3) == 5;
}

std::string TypeOf(const Json* object) {
  const Json* type = object == nullptr ? nullptr : object->Find("type");
  return type != nullptr && type->is_string() ? type->AsString() : std::string();
}

}  // namespace

Vocabulary SentencePieceVocabulary(const TokenizerFolder& folder, const SentencePieceModel& model,
                                   uint64_t size, bool all_added,
                                   std::vector<std::string>& notices) {
  const uint64_t rows = size != 0 ? size : model.pieces.size();
  Vocabulary out = PaddedVocabulary(rows, true);
  if (model.pieces.size() > rows) {
    notices.push_back(
        Format("{} of the {} pieces of tokenizer.model are left out: the embedding "
               "has {} rows",
               model.pieces.size() - rows, model.pieces.size(), rows));
  }
  for (uint64_t id = 0; id < std::min<uint64_t>(rows, model.pieces.size()); ++id) {
    const SentencePiece& piece = model.pieces[id];
    out.tokens[id] = piece.text;
    out.scores[id] = piece.score;
    // The converter takes what SentencePiece calls user-defined for normal.
    out.types[id] = piece.type == TokenType::kUserDefined ? TokenType::kNormal : piece.type;
  }
  Overlay overlay(out, notices);
  overlay.SetFile(folder, "added_tokens.json");
  for (const AddedToken& token : ConfiguredTokens(folder)) {
    overlay.SetAdded(token, !all_added);
  }
  if (all_added) {
    for (const AddedToken& token : folder.hf.added) {
      overlay.SetAdded(token, false);
    }
  }
  return out;
}

Vocabulary ByteFallbackVocabulary(const TokenizerFolder& folder, uint64_t size) {
  const std::vector<AddedToken> added = AllAddedTokens(folder);
  Vocabulary out = PaddedVocabulary(RowsOf(folder, added, size), true);
  const auto scores = ScoresOfMerges(folder.hf);
  for (const auto& [token, id] : folder.hf.vocab) {
    const auto score = scores.find(id);
    out.tokens[id] = token;
    out.scores[id] = score == scores.end() ? 0 : score->second;
    out.types[id] = IsByteToken(token) ? TokenType::kByte : TokenType::kNormal;
  }
  std::vector<std::string> none;  // every id has a row
  Overlay overlay(out, none);
  for (const AddedToken& token : added) {
    overlay.SetAdded(token, true);
  }
  return out;
}

bool PrefixesSpace(const Json& outline) {
  const Json* normalizer = outline.Find("normalizer");
  if (TypeOf(normalizer) == "Sequence") {
    const Json* steps = normalizer->Find("normalizers");
    for (const Json& step : steps == nullptr ? Json::Array() : steps->AsArray()) {
      if (TypeOf(&step) == "Prepend") {
        return true;
      }
    }
  } else if (TypeOf(normalizer) == "Prepend") {
    return true;
  }
  const Json* words = outline.Find("pre_tokenizer");
  if (TypeOf(words) != "Metaspace") {
    return false;
  }
  if (const Json* scheme = words->Find("prepend_scheme")) {
    return *scheme != Json("never");
  }
  const Json* prefix = words->Find("add_prefix_space");
  return prefix == nullptr || *prefix != Json(false);
}

}  // namespace lbrx
