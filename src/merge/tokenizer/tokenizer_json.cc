#include "merge/tokenizer/tokenizer_json.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "tokenizer/fault.h"

namespace lbrx {
namespace {

constexpr JsonStyle kStyle = {.indent = 2};  // as the library writes its files

// The list as text, as it stands one level deep.
std::string AddedTokensText(const std::vector<AddedToken>& added) {
  Json list = Json::MakeArray();
  for (const AddedToken& token : added) {
    Json entry = Json::MakeObject();
    entry.Set("id", uint64_t{token.id});
    const Json fields = AddedTokenJson(token);
    for (const auto& [key, value] : fields.AsObject()) {
      entry.Set(key, value);
    }
    list.Append(std::move(entry));
  }
  std::string text;
  for (const char c : WriteJson(list, kStyle)) {
    text += c;
    text += c == '\n' ? "  " : "";
  }
  return text;
}

// The two pieces of a merge, as a text or as a pair.
std::pair<std::string, std::string> PiecesOf(const Json& merge, const std::string& file) {
  if (merge.is_array() && merge.AsArray().size() == 2) {
    return {merge.AsArray()[0].AsString(), merge.AsArray()[1].AsString()};
  }
  const std::string& text = merge.AsString();
  const size_t space = text.find(' ');
  if (space == std::string::npos) {
    FailTokenizer(file, text, "merge is not two pieces");
  }
  return {text.substr(0, space), text.substr(space + 1)};
}

void EraseMerges(const std::unordered_set<std::string>& erased, const std::string& file,
                 Json& model) {
  Json* merges = model.Find("merges");
  if (merges == nullptr || !merges->is_array()) {
    return;
  }
  const Json* prefix = model.Find("continuing_subword_prefix");
  const std::string inner =
      prefix != nullptr && prefix->is_string() ? prefix->AsString() : std::string();
  std::erase_if(merges->AsArray(), [&](const Json& merge) {
    const auto [left, right] = PiecesOf(merge, file);
    const std::string whole = left + right.substr(right.starts_with(inner) ? inner.size() : 0);
    return erased.count(left) != 0 || erased.count(right) != 0 || erased.count(whole) != 0;
  });
}

}  // namespace

Json AddedTokenJson(const AddedToken& token) {
  return Json::Object{{"content", token.content},       {"single_word", token.single_word},
                      {"lstrip", token.lstrip},         {"rstrip", token.rstrip},
                      {"normalized", token.normalized}, {"special", token.special}};
}

std::string WithAddedTokens(const std::string& text, const std::string& file,
                            const std::vector<AddedToken>& added) {
  const HfTokenizer tokenizer = ReadHfTokenizer(text, file);
  if (tokenizer.added_end != 0) {
    return text.substr(0, tokenizer.added_begin) + AddedTokensText(added) +
           text.substr(tokenizer.added_end);
  }
  if (added.empty()) {
    return text;
  }
  Json whole = ParseJson(text, file);
  whole.Set("added_tokens", Json::MakeArray());
  return WithAddedTokens(WriteJson(whole, kStyle), file, added);
}

std::string WithoutTokensFrom(uint64_t limit, const std::string& text, const std::string& file) {
  Json whole = ParseJson(text, file);
  Json& model = *whole.Find("model");
  Json& vocab = *model.Find("vocab");
  std::unordered_set<std::string> erased;
  if (vocab.is_object()) {
    std::erase_if(vocab.AsObject(), [&](const Json::Member& entry) {
      const bool beyond = entry.second.AsUint64() >= limit;
      if (beyond) {
        erased.insert(entry.first);
      }
      return beyond;
    });
  } else if (limit < vocab.AsArray().size()) {
    vocab.AsArray().resize(limit);
  }
  EraseMerges(erased, file, model);
  return WriteJson(whole, kStyle);
}

}  // namespace lbrx
