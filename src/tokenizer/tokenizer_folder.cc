#include "tokenizer/tokenizer_folder.h"

#include <algorithm>
#include <unordered_map>

#include "core/io/file.h"
#include "tokenizer/fault.h"
#include "tokenizer/tokenizer.h"

namespace lbrx {
namespace {

constexpr uint64_t kTokenizerLimit = uint64_t{256} << 20;  // the largest published are 35 MB

uint64_t IdOfKey(const std::string& key, const std::string& file) {
  uint64_t id = 0;
  const bool digits =
      !key.empty() && key.size() <= 10 &&
      std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) {
    FailTokenizer(file, "added_tokens_decoder", "key is no token id", "a number",
                  Printable(key, 40));
  }
  for (const char c : key) {
    id = id * 10 + static_cast<uint64_t>(c - '0');
  }
  return id;
}

}  // namespace

bool TokenizerFolder::Has(const std::string& name) const {
  return files.empty() ? PathExists(JoinPath(path, name)) : FindText(files, name) != nullptr;
}

std::optional<std::string> TokenizerFolder::Read(const std::string& name, uint64_t limit) const {
  if (!files.empty()) {
    const std::string* text = FindText(files, name);
    return text == nullptr ? std::nullopt : std::optional(*text);
  }
  return Has(name) ? std::optional(ReadWholeFile(JoinPath(path, name), limit)) : std::nullopt;
}

TokenizerFolder OpenTokenizerFolder(const std::string& path, std::vector<OutputText> files) {
  TokenizerFolder folder;
  folder.path = path;
  folder.files = std::move(files);
  if (const auto json = folder.Read("tokenizer.json", kTokenizerLimit)) {
    folder.hf = ReadHfTokenizer(*json, JoinPath(path, "tokenizer.json"));
  }
  if (const auto config = folder.Read("tokenizer_config.json")) {
    folder.config = ParseJson(*config, JoinPath(path, "tokenizer_config.json"));
  }
  if (folder.Has(kPiecesName)) {
    folder.sentence_pieces = JoinPath(path, kPiecesName);
  }
  return folder;
}

bool HasTokenizer(const std::string& folder) {
  return PathExists(JoinPath(folder, "tokenizer.json")) ||
         PathExists(JoinPath(folder, "tokenizer.model"));
}

const std::string* FindText(const std::vector<OutputText>& files, std::string_view name) {
  const auto file = std::find_if(files.begin(), files.end(),
                                 [&](const OutputText& entry) { return entry.name == name; });
  return file == files.end() ? nullptr : &file->content;
}

std::string NamedToken(const Json& config, std::string_view key) {
  const Json* entry = config.Find(key);
  if (entry != nullptr && entry->is_object()) {
    entry = entry->Find("content");
  }
  return entry != nullptr && entry->is_string() ? entry->AsString() : std::string();
}

std::vector<AddedToken> ConfiguredTokens(const TokenizerFolder& folder) {
  std::vector<AddedToken> tokens;
  const std::string file = JoinPath(folder.path, "tokenizer_config.json");
  if (const Json* decoder = folder.config.Find("added_tokens_decoder")) {
    for (const auto& [key, entry] : decoder->AsObject()) {
      tokens.push_back(ReadAddedToken(entry, IdOfKey(key, file), file));
    }
  }
  return tokens;
}

std::vector<AddedToken> AllAddedTokens(const TokenizerFolder& folder) {
  std::vector<AddedToken> tokens = folder.hf.added;
  std::unordered_map<std::string, uint32_t> known;  // added tokens by content
  for (const AddedToken& token : tokens) {
    known.emplace(token.content, token.id);
  }
  for (AddedToken& token : ConfiguredTokens(folder)) {
    if (known.emplace(token.content, token.id).second) {
      tokens.push_back(std::move(token));
    }
  }
  std::unordered_map<std::string_view, uint32_t> vocab;
  for (const std::string_view key : kNamedTokens) {
    const std::string content = NamedToken(folder.config, key);
    if (content.empty() || known.count(content) != 0) {
      continue;
    }
    if (vocab.empty()) {
      vocab.insert(folder.hf.vocab.begin(), folder.hf.vocab.end());
    }
    if (const auto id = vocab.find(content); id != vocab.end()) {
      tokens.push_back({id->second, content, true, false});
      known.emplace(content, id->second);
    }
  }
  return tokens;
}

}  // namespace lbrx
