#include "merge/tokenizer/source_vocabulary.h"

#include <algorithm>
#include <array>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/io/file.h"
#include "tokenizer/fault.h"
#include "tokenizer/vocabulary.h"

namespace lbrx {
namespace {

constexpr std::array<std::string_view, 9> kTokenizerFiles = {
    "tokenizer.json",    "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "tokenizer.model",       "vocab.json",
    "merges.txt",        "chat_template.jinja",   "chat_template.json"};
constexpr std::string_view kMoreTemplates = "additional_chat_templates";
constexpr uint64_t kFileLimit = uint64_t{256} << 20;  // the largest published are 35 MB

// Files that a folder without tokenizer.json needs in its place.
void AddConverted(const TokenizerSource& source, std::vector<OutputText>& files,
                  std::vector<std::string>& notices) {
  GgufKeys keys;
  AddTokenizerKeys(source, "", keys, notices);
  for (OutputText& file : TokenizerFiles(keys, source.config, notices)) {
    if (!IsTokenizerFile(file.name) ||
        (file.name != "tokenizer_config.json" && FindText(files, file.name) != nullptr)) {
      continue;
    }
    std::erase_if(files, [&](const OutputText& old) { return old.name == file.name; });
    files.push_back(std::move(file));
  }
}

// A special token as tokenizer_config.json spells it: a text, or an object with content.
void AppendSpecial(const Json& entry, const std::string& file, std::vector<AddedToken>& out) {
  if (entry.is_object()) {
    out.push_back(ReadAddedToken(entry, 0, file));
    out.back().special = true;
  } else if (entry.is_string()) {
    out.push_back({.content = entry.AsString(), .special = true, .normalized = false});
  }
}

std::vector<AddedToken> NamedTokens(const Json& config, const std::string& file) {
  std::vector<AddedToken> tokens;
  for (const std::string_view role : kNamedTokens) {
    if (const Json* entry = config.Find(role)) {
      AppendSpecial(*entry, file, tokens);
    }
  }
  for (const std::string_view key : kFurtherTokens) {
    const Json* list = config.Find(key);
    if (list != nullptr && list->is_array()) {
      for (const Json& entry : list->AsArray()) {
        AppendSpecial(entry, file, tokens);
      }
    } else if (list != nullptr && list->is_object()) {
      for (const auto& [name, entry] : list->AsObject()) {
        AppendSpecial(entry, file, tokens);
      }
    }
  }
  return tokens;
}

}  // namespace

bool IsTokenizerFile(std::string_view name) {
  return std::find(kTokenizerFiles.begin(), kTokenizerFiles.end(), name) != kTokenizerFiles.end() ||
         name.starts_with(kMoreTemplates);
}

std::vector<OutputText> ReadTokenizerFiles(const TokenizerSource& source,
                                           std::vector<std::string>& notices) {
  std::vector<OutputText> files;
  if (!HasTokenizer(source.folder)) {
    return files;
  }
  const auto read = [&](const std::string& name) {
    const std::string path = JoinPath(source.folder, name);
    if (PathExists(path)) {
      files.push_back({name, ReadWholeFile(path, kFileLimit)});
    }
  };
  for (const std::string_view name : kTokenizerFiles) {
    read(std::string(name));
  }
  const std::string more(kMoreTemplates);
  if (const std::string path = JoinPath(source.folder, more); IsDirectory(path)) {
    for (const std::string& name : ListDirectory(path)) {
      read(JoinPath(more, name));
    }
  }
  if (FindText(files, "tokenizer.json") == nullptr) {
    AddConverted(source, files, notices);
  }
  return files;
}

SourceVocabulary::SourceVocabulary(const ModelTokenizer& model) : name_(model.name) {
  const std::string* json = FindText(model.files, "tokenizer.json");
  if (json == nullptr) {
    throw Error(ErrorCode::kIo, {.file = model.name,
                                 .object = {},
                                 .what = "the model has no tokenizer.json",
                                 .expected = {},
                                 .found = {},
                                 .offset = {},
                                 .advice = "load its tokenizer with transformers and save it: that "
                                           "writes a tokenizer.json"});
  }
  TokenizerFolder folder;
  folder.path = model.name;
  folder.hf = ReadHfTokenizer(*json, JoinPath(model.name, "tokenizer.json"));
  if (const std::string* config = FindText(model.files, "tokenizer_config.json")) {
    folder.config = ParseJson(*config, JoinPath(model.name, "tokenizer_config.json"));
  }
  next_id_.SetModelTokens(folder.hf.vocab.size());
  used_.reserve(folder.hf.vocab.size() + folder.hf.added.size());
  ids_.reserve(folder.hf.vocab.size() + folder.hf.added.size());
  tokens_.reserve(folder.hf.vocab.size() + folder.hf.added.size());
  for (const auto& [token, id] : folder.hf.vocab) {
    Name(token, id, true);
  }
  for (AddedToken& token : folder.hf.added) {
    Name(token.content, token.id, false);
    Append(std::move(token));
  }
  ReadConfigured(folder);
  std::sort(added_.begin(), added_.end(),
            [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  std::sort(tokens_.begin(), tokens_.end(),
            [](const Token& a, const Token& b) { return a.id < b.id; });
  CheckIds(model.vocab_size);
}

// Lists of a merge are by id.
void SourceVocabulary::CheckIds(uint64_t vocab_size) const {
  const uint64_t limit = std::max(vocab_size, TokenIdLimit(tokens_.size()));
  if (!tokens_.empty() && tokens_.back().id >= limit) {
    FailTokenizer(name_, tokens_.back().text, "token id is far beyond the number of tokens",
                  Format("less than {}", limit), std::to_string(tokens_.back().id),
                  "use the tokenizer that belongs to these weights");
  }
}

void SourceVocabulary::ReadConfigured(const TokenizerFolder& folder) {
  std::vector<AddedToken> configured = ConfiguredTokens(folder);
  std::stable_sort(configured.begin(), configured.end(),
                   [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  for (AddedToken& token : configured) {
    Add(std::move(token));
  }
  for (AddedToken& token :
       NamedTokens(folder.config, JoinPath(folder.path, "tokenizer_config.json"))) {
    Add(std::move(token));
  }
  for (const std::string_view role : kNamedTokens) {
    if (std::string token = NamedToken(folder.config, role); !token.empty()) {
      roles_.emplace_back(role, std::move(token));
    }
  }
}

void SourceVocabulary::Add(AddedToken token) {
  if (token.content.empty() || added_texts_.count(token.content) != 0) {
    return;
  }
  if (const std::optional<uint32_t> id = Find(token.content)) {
    token.id = *id;
  } else {
    token.id = static_cast<uint32_t>(next_id_.Get());
    Name(token.content, token.id, false);
  }
  Append(std::move(token));
}

void SourceVocabulary::Append(AddedToken token) {
  next_id_.Take(token.id);
  added_texts_.insert(token.content);
  added_.push_back(std::move(token));
}

// An added token can get the id of another: where the ids of model.vocab have gaps, the library
// counts its entries all the same.
void SourceVocabulary::Name(const std::string& text, uint32_t id, bool in_model) {
  if (!ids_.emplace(text, id).second) {
    return;
  }
  if (!used_.insert(id).second) {
    FailTokenizer(name_, text, "the token gets the id of another one",
                  "ids of model.vocab without gaps", Format("two tokens of id {}", id),
                  "load the tokenizer with transformers and save it");
  }
  tokens_.push_back({text, id, in_model});
}

std::optional<uint32_t> SourceVocabulary::Find(const std::string& text) const {
  const auto found = ids_.find(text);
  return found == ids_.end() ? std::nullopt : std::optional<uint32_t>(found->second);
}

}  // namespace lbrx
