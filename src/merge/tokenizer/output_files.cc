#include "merge/tokenizer/output_files.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

#include "core/base/format.h"
#include "core/io/file.h"
#include "merge/tokenizer/tokenizer_json.h"

namespace lbrx {
namespace {

// The model's own tokens in the forms of slower tokenizers.
constexpr std::array<std::string_view, 3> kModelFiles = {"tokenizer.model", "vocab.json",
                                                         "merges.txt"};

class FilesWriter {
 public:
  FilesWriter(const ModelTokenizer& donor, const OutputVocabulary& vocabulary,
              std::vector<std::string>& notices)
      : donor_(donor), vocabulary_(vocabulary), notices_(notices), tokens_(donor) {
    for (const AddedToken& token : vocabulary.added) {
      added_.insert(token.content);
    }
    for (const SourceVocabulary::Token& token : tokens_.tokens()) {
      const bool kept = token.id < vocabulary.donor_limit;
      shortened_ = shortened_ || (!kept && token.in_model);
    }
  }

  std::vector<OutputText> Write() {
    for (const OutputText& file : donor_.files) {
      if (shortened_ &&
          std::find(kModelFiles.begin(), kModelFiles.end(), file.name) != kModelFiles.end()) {
        notices_.push_back(
            Format("{} is left out: it has tokens that the result does not have", file.name));
        continue;
      }
      files_.push_back({file.name, Edit(file)});
    }
    return std::move(files_);
  }

 private:
  std::string Edit(const OutputText& file) {
    const std::string path = JoinPath(donor_.name, file.name);
    if (file.name == "tokenizer.json") {
      const std::string kept = shortened_
                                   ? WithoutTokensFrom(vocabulary_.donor_limit, file.content, path)
                                   : file.content;
      return WithAddedTokens(kept, path, vocabulary_.added);
    }
    const bool lists = file.name == "added_tokens.json";
    const bool configures = file.name == "tokenizer_config.json";
    if (!lists && !configures && file.name != "special_tokens_map.json") {
      return file.content;
    }
    const Json before = ParseJson(file.content, path);
    Json after = before;
    if (lists) {
      EditList(after);
    } else {
      DropRoles(file.name, after);
    }
    if (configures) {
      EditDecoder(after);
    }
    return after == before ? file.content : WriteJson(after, {.indent = 2}) + "\n";
  }

  // Whether the result has a token of the donor.
  bool IsKept(const std::string& token) const {
    const std::optional<uint32_t> id = tokens_.Find(token);
    return (id.has_value() && *id < vocabulary_.donor_limit) || added_.count(token) != 0;
  }

  // {token: id}: those behind the model's own.
  void EditList(Json& list) const {
    Json::Object& entries = list.AsObject();
    std::erase_if(entries, [&](const Json::Member& entry) { return !IsKept(entry.first); });
    std::unordered_map<std::string, size_t> places;
    for (size_t i = 0; i < entries.size(); ++i) {
      places.emplace(entries[i].first, i);
    }
    for (const AddedToken& token : vocabulary_.added) {
      const std::optional<uint32_t> before = tokens_.Find(token.content);
      if (before == token.id) {
        continue;
      }
      if (const auto place = places.find(token.content); place != places.end()) {
        entries[place->second].second = uint64_t{token.id};
      } else {
        entries.emplace_back(token.content, uint64_t{token.id});
      }
    }
  }

  void EditDecoder(Json& config) const {
    const bool beside = FindText(donor_.files, "tokenizer.model") != nullptr && !shortened_;
    if (config.Find("added_tokens_decoder") == nullptr && !beside) {
      return;
    }
    Json::Object decoder;
    for (const AddedToken& token : vocabulary_.added) {
      decoder.emplace_back(std::to_string(token.id), AddedTokenJson(token));
    }
    config.Set("added_tokens_decoder", std::move(decoder));
  }

  bool IsMissing(const Json& entry) const {
    const Json* content = entry.is_object() ? entry.Find("content") : &entry;
    return content != nullptr && content->is_string() && !IsKept(content->AsString());
  }

  // transformers would add a token with a role again, with an id that has no row.
  void DropRoles(const std::string& file, Json& config) {
    for (const std::string_view role : kNamedTokens) {
      const Json* entry = config.Find(role);
      if (entry != nullptr && IsMissing(*entry)) {
        config.Erase(role);
        notices_.push_back(
            Format("{}: {} is dropped: the result does not have this token", file, role));
      }
    }
    for (const std::string_view key : kFurtherTokens) {
      Json* list = config.Find(key);
      if (list != nullptr && list->is_array()) {
        std::erase_if(list->AsArray(), [&](const Json& entry) { return IsMissing(entry); });
      } else if (list != nullptr && list->is_object()) {
        std::erase_if(list->AsObject(),
                      [&](const Json::Member& entry) { return IsMissing(entry.second); });
      }
    }
  }

  const ModelTokenizer& donor_;
  const OutputVocabulary& vocabulary_;
  std::vector<std::string>& notices_;
  SourceVocabulary tokens_;
  std::unordered_set<std::string> added_;  // of the result
  bool shortened_ = false;                 // entries of model.vocab are left out
  std::vector<OutputText> files_;
};

}  // namespace

std::vector<OutputText> OutputTokenizerFiles(const ModelTokenizer& donor,
                                             const OutputVocabulary& vocabulary,
                                             std::vector<std::string>& notices) {
  return vocabulary.changed ? FilesWriter(donor, vocabulary, notices).Write() : donor.files;
}

}  // namespace lbrx
