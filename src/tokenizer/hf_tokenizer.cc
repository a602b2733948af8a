#include "tokenizer/hf_tokenizer.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <unordered_map>

#include "core/base/format.h"
#include "tokenizer/fault.h"

namespace lbrx {
namespace {

constexpr uint64_t kMaxId = std::numeric_limits<int32_t>::max();

// Appends a piece of a merge, with U+0120 for spaces.
void AppendPiece(std::string_view piece, std::string& out) {
  for (const char c : piece) {
    if (c == ' ') {
      out += "\xC4\xA0";
    } else {
      out += c;
    }
  }
}

// Collects model.vocab and model.merges, and where in the text they and the added tokens are.
class ModelReader final : public JsonHandler {
 public:
  ModelReader(const std::string& file, HfTokenizer& out) : file_(file), out_(out) {}

  void Null() override { Other("null"); }

  void Bool(bool /*value*/) override { Other("true or false"); }

  void Integer(int64_t value) override {
    if (value >= 0) {
      Unsigned(static_cast<uint64_t>(value));
    } else {
      Number(static_cast<double>(value));
    }
  }

  void Unsigned(uint64_t value) override {
    if (InVocabObject()) {
      if (value > kMaxId) {
        Fail("token id is out of range", Format("at most {}", kMaxId), std::to_string(value));
      }
      out_.vocab.emplace_back(std::move(token_), static_cast<uint32_t>(value));
      token_.clear();
      return;
    }
    Number(static_cast<double>(value));
  }

  void Double(double value, std::string_view /*spelling*/) override { Number(value); }

  void String(std::string& value) override {
    if (InPair("vocab") && part_ == 0) {
      out_.vocab.emplace_back(value, static_cast<uint32_t>(out_.vocab.size()));
    } else if (InMerges()) {
      out_.merges.push_back(value);
    } else if (InPair("merges") && part_ < 2) {
      std::string& merge = part_ == 0 ? out_.merges.emplace_back() : out_.merges.back();
      if (part_ == 1) {
        merge += ' ';
      }
      AppendPiece(value, merge);
    } else {
      Other("a string");
    }
    ++part_;
  }

  void Key(std::string& value) override {
    if (InVocabObject()) {
      token_ = value;
    } else if (levels_.size() <= 2) {
      levels_.back().key = value;
    }
  }

  void StartObject() override { Enter(false); }

  void EndObject() override { Leave(); }

  void StartArray() override { Enter(true); }

  void EndArray() override {
    if ((InPair("merges") || InPair("vocab")) && part_ != 2) {
      Fail("pair of another length", "two elements", std::to_string(part_));
    }
    Leave();
  }

  // Byte ranges of model.vocab and model.merges.
  const std::vector<std::pair<uint64_t, uint64_t>>& ranges() const { return ranges_; }

 private:
  struct Level {
    bool array = false;
    std::string key;
  };

  bool InModel(std::string_view key) const {
    return levels_.size() >= 3 && !levels_[0].array && levels_[0].key == "model" &&
           !levels_[1].array && levels_[1].key == key;
  }

  bool InVocabObject() const {
    return levels_.size() == 3 && !levels_[2].array && InModel("vocab");
  }

  bool InMerges() const { return levels_.size() == 3 && levels_[2].array && InModel("merges"); }

  bool InPair(std::string_view key) const {
    return levels_.size() == 4 && levels_[2].array && levels_[3].array && InModel(key);
  }

  bool InAddedTokens() const {
    return levels_.size() == 2 && levels_[1].array && !levels_[0].array &&
           levels_[0].key == "added_tokens";
  }

  void Number(double value) {
    if (InPair("vocab") && part_ == 1) {
      out_.scores.push_back(static_cast<float>(value));
      ++part_;
      return;
    }
    Other("a number");
  }

  // A value that has no place in a vocabulary or a list of merges.
  void Other(const char* found) {
    if (InModel("vocab")) {
      Fail(levels_[2].array ? "entry of an unknown kind" : "token without an id",
           levels_[2].array ? "[token, score]" : "a whole number", found);
    }
    if (InModel("merges")) {
      Fail("merge of an unknown kind", "two pieces", found);
    }
  }

  void Enter(bool array) {
    const bool pair = array && levels_.size() == 3 && levels_[2].array;
    if (!pair && (InModel("vocab") || InModel("merges"))) {
      Other(array ? "an array" : "an object");
    }
    part_ = 0;
    levels_.push_back({array, ""});
    if (levels_.size() == 3 && (InModel("vocab") || InModel("merges"))) {
      ranges_.emplace_back(position() - 1, 0);
    } else if (InAddedTokens()) {
      out_.added_begin = position() - 1;
    }
  }

  void Leave() {
    if (levels_.size() == 3 && (InModel("vocab") || InModel("merges"))) {
      ranges_.back().second = position();
    } else if (InAddedTokens()) {
      out_.added_end = position();
    }
    levels_.pop_back();
  }

  [[noreturn]] void Fail(std::string what, std::string expected, std::string found) {
    ErrorDetail detail;
    detail.file = file_;
    detail.object = "model." + levels_[1].key;
    detail.what = std::move(what);
    detail.expected = std::move(expected);
    detail.found = std::move(found);
    detail.offset = position();
    throw Error(ErrorCode::kInvalid, std::move(detail));
  }

  const std::string& file_;
  HfTokenizer& out_;
  std::vector<Level> levels_;
  std::string token_;
  uint32_t part_ = 0;  // of a pair: the element that comes next
  std::vector<std::pair<uint64_t, uint64_t>> ranges_;
};

// The text without the long lists, which is parsed as any JSON.
Json ReadOutline(std::string_view text, const std::string& file,
                 const std::vector<std::pair<uint64_t, uint64_t>>& ranges) {
  std::string outline;
  uint64_t at = 0;
  for (const auto& [begin, end] : ranges) {
    outline += text.substr(at, begin - at);
    outline += "null";
    at = end;
  }
  outline += text.substr(at);
  return ParseJson(outline, file);
}

using IdsByToken = std::unordered_map<std::string_view, uint32_t>;

// Refuses what appears twice.
IdsByToken IndexVocab(const HfTokenizer& tokenizer) {
  IdsByToken ids;
  ids.reserve(tokenizer.vocab.size());
  for (const auto& [token, id] : tokenizer.vocab) {
    if (!ids.emplace(token, id).second) {
      FailTokenizer(tokenizer.file, token, "token appears twice in model.vocab");
    }
  }
  std::vector<const std::pair<std::string, uint32_t>*> order;
  order.reserve(tokenizer.vocab.size());
  for (const auto& entry : tokenizer.vocab) {
    order.push_back(&entry);
  }
  std::sort(order.begin(), order.end(),
            [](const auto* a, const auto* b) { return a->second < b->second; });
  const auto same =
      std::adjacent_find(order.begin(), order.end(),
                         [](const auto* a, const auto* b) { return a->second == b->second; });
  if (same != order.end()) {
    FailTokenizer(tokenizer.file, (*same)->first, "another token has the same id", "every id once",
                  std::to_string((*same)->second));
  }
  return ids;
}

void ReadAddedTokens(const IdsByToken& ids, HfTokenizer& tokenizer) {
  const Json* added = tokenizer.outline.Find("added_tokens");
  if (added == nullptr || added->is_null()) {
    return;
  }
  std::unordered_map<uint32_t, std::string_view> tokens;
  tokens.reserve(ids.size());
  for (const auto& [token, id] : ids) {
    tokens.emplace(id, token);
  }
  for (const Json& entry : added->AsArray()) {
    const Json* id = entry.Find("id");
    if (id == nullptr) {
      FailTokenizer(tokenizer.file, "added_tokens", "added token without an id");
    }
    AddedToken token = ReadAddedToken(entry, id->AsUint64(), tokenizer.file);
    // The library goes by the vocabulary where it has the token.
    if (const auto known = ids.find(token.content); known != ids.end()) {
      token.id = known->second;
    } else if (const auto taken = tokens.find(token.id);
               taken != tokens.end() && taken->second != token.content) {
      FailTokenizer(tokenizer.file, token.content, "another token has the id of this added token",
                    "every id once", std::to_string(token.id));
    }
    tokenizer.added.push_back(std::move(token));
  }
}

bool Flag(const Json& object, std::string_view key, bool otherwise) {
  const Json* value = object.Find(key);
  return value == nullptr || value->is_null() ? otherwise : value->AsBool();
}

}  // namespace

AddedToken ReadAddedToken(const Json& token, uint64_t id, const std::string& file) {
  const Json* content = token.Find("content");
  if (content == nullptr) {
    FailTokenizer(file, "added_tokens", "added token without content");
  }
  if (id > kMaxId) {
    FailTokenizer(file, content->AsString(), "token id is out of range",
                  Format("at most {}", kMaxId), std::to_string(id));
  }
  return {static_cast<uint32_t>(id),         content->AsString(),
          Flag(token, "special", false),     Flag(token, "normalized", true),
          Flag(token, "single_word", false), Flag(token, "lstrip", false),
          Flag(token, "rstrip", false)};
}

HfTokenizer ReadHfTokenizer(std::string_view text, const std::string& file) {
  HfTokenizer tokenizer;
  tokenizer.file = file;
  ModelReader reader(file, tokenizer);
  ParseJsonEvents(text, file, reader);
  try {
    tokenizer.outline = ReadOutline(text, file, reader.ranges());
    const Json* model = tokenizer.outline.Find("model");
    if (model == nullptr || !model->is_object()) {
      FailTokenizer(file, "model", "tokenizer without a model");
    }
    if (const Json* type = model->Find("type")) {
      tokenizer.model = type->AsString();
    } else {
      tokenizer.model = tokenizer.scores.empty() ? "BPE" : "Unigram";  // files before 2020
    }
    tokenizer.byte_fallback = Flag(*model, "byte_fallback", false);
    tokenizer.ignore_merges = Flag(*model, "ignore_merges", false);
    ReadAddedTokens(IndexVocab(tokenizer), tokenizer);
  } catch (Error& error) {
    error.InFile(file);
    throw;
  }
  return tokenizer;
}

}  // namespace lbrx
