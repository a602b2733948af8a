#include "merge/tokenizer/output_vocabulary.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "core/base/checked.h"
#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

constexpr uint64_t kMostRows = std::numeric_limits<int32_t>::max();

class VocabularyBuilder {
 public:
  VocabularyBuilder(const std::vector<ModelTokenizer>& models, uint32_t base,
                    const TokenizerRequest& request, std::vector<std::string>& notices)
      : models_(models), base_(base), request_(request), notices_(notices) {
    const bool by_model = request.source == TokenizerRequest::Source::kModel;
    out_.donor = by_model ? request.model : base;
    LoadVocabularies();
    out_.donor_limit = by_model ? kMostRows : RowsOf(base_);
  }

  OutputVocabulary Build() {
    TakeDonor();
    if (request_.source == TokenizerRequest::Source::kUnion) {
      AddUnion();
    }
    for (const auto& [token, source] : request_.tokens) {
      if (ids_.count(token) == 0) {
        Append({.content = token});
      }
    }
    std::sort(out_.added.begin(), out_.added.end(),
              [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
    SetRows();
    for (uint32_t i = 0; i < models_.size(); ++i) {
      out_.names.push_back(models_[i].name);
      MapModel(i);
    }
    SetSources();
    for (const auto& [role, token] : Of(out_.donor).roles()) {
      if (const auto id = ids_.find(token); id != ids_.end()) {
        out_.roles.emplace_back(role, id->second);
      }
    }
    NoteOrphans();
    return std::move(out_);
  }

 private:
  using Token = SourceVocabulary::Token;

  const SourceVocabulary& Of(uint32_t model) const {
    return *vocabularies_[vocabularies_[model] == nullptr ? base_ : model];
  }

  // Tokens of the model from this id on have no row in its matrices.
  uint64_t RowsOf(uint32_t model) const {
    const std::vector<Token>& tokens = Of(model).tokens();
    return models_[model].vocab_size != 0 ? models_[model].vocab_size
           : tokens.empty()               ? 0
                                          : uint64_t{tokens.back().id} + 1;
  }

  static bool HaveSameTokens(const ModelTokenizer& a, const ModelTokenizer& b) {
    const auto same = [&](std::string_view name) {
      const std::string* left = FindText(a.files, name);
      const std::string* right = FindText(b.files, name);
      return left == nullptr ? right == nullptr : right != nullptr && *left == *right;
    };
    return same("tokenizer.json") && same("tokenizer_config.json");
  }

  // Fine-tunes mostly have the very same tokenizer, which is then kept once.
  void LoadVocabularies() {
    vocabularies_.resize(models_.size());
    for (uint32_t i = 0; i < models_.size(); ++i) {
      if (models_[i].files.empty() && i != base_ && i != out_.donor) {
        notices_.push_back(Format("{} has no tokenizer: its tokens are taken to be those of {}",
                                  models_[i].name, models_[base_].name));
        continue;
      }
      for (uint32_t j = 0; j < i && vocabularies_[i] == nullptr; ++j) {
        if (vocabularies_[j] != nullptr && HaveSameTokens(models_[i], models_[j])) {
          vocabularies_[i] = vocabularies_[j];
        }
      }
      if (vocabularies_[i] == nullptr) {
        vocabularies_[i] = std::make_shared<const SourceVocabulary>(models_[i]);
      }
    }
  }

  void TakeDonor() {
    uint64_t model_tokens = 0;
    for (const Token& token : Of(out_.donor).tokens()) {
      if (token.id >= out_.donor_limit) {
        out_.changed = true;
        continue;
      }
      ids_.emplace(token.text, token.id);
      end_ = uint64_t{token.id} + 1;
      model_tokens += token.in_model ? 1 : 0;
    }
    next_id_.SetModelTokens(model_tokens);
    for (const AddedToken& token : Of(out_.donor).added()) {
      if (token.id < out_.donor_limit) {
        out_.added.push_back(token);
        added_.insert(token.content);
        next_id_.Take(token.id);
      }
    }
  }

  // Added as the tokenizers library adds it, so that reading the file gives it the same id.
  void Append(AddedToken token) {
    const uint64_t id = next_id_.Get();
    if (id < end_) {
      throw Error(ErrorCode::kInvalid,
                  {.file = models_[out_.donor].name,
                   .object = Printable(token.content, 60),
                   .what = "no token can be added to this tokenizer: its ids have gaps",
                   .expected = {},
                   .found = {},
                   .offset = {},
                   .advice = "take another model as the base, or `source: base`"});
    }
    token.id = static_cast<uint32_t>(id);
    next_id_.Take(token.id);
    end_ = id + 1;
    ids_.emplace(token.content, token.id);
    added_.insert(token.content);
    out_.added.push_back(std::move(token));
    out_.changed = true;
  }

  // What other models have beyond the base: first the tokens of their model.vocab, then their added
  // tokens, with the settings of the first model that has them.
  void AddUnion() {
    std::vector<uint32_t> order = {base_};
    for (uint32_t i = 0; i < models_.size(); ++i) {
      if (i != base_ && vocabularies_[i] != nullptr) {
        order.push_back(i);
      }
    }
    const std::vector<const AddedToken*> added = FirstSettings(order);
    std::unordered_set<std::string_view> later;
    for (const AddedToken* token : added) {
      later.insert(token->content);
    }
    for (const uint32_t model : order) {
      for (const Token& token : Of(model).tokens()) {
        if (token.id < RowsOf(model) && later.count(token.text) == 0 &&
            ids_.count(token.text) == 0) {
          Append({.content = token.text});
        }
      }
    }
    for (const AddedToken* token : added) {
      const auto known = ids_.find(token->content);
      if (known == ids_.end()) {
        Append(*token);
      } else if (added_.insert(token->content).second) {  // one of the base's model.vocab
        out_.added.push_back(*token);
        out_.added.back().id = known->second;
        next_id_.Take(known->second);
        out_.changed = true;
      }
    }
  }

  std::vector<const AddedToken*> FirstSettings(const std::vector<uint32_t>& order) {
    std::vector<const AddedToken*> first;
    std::unordered_map<std::string_view, const AddedToken*> seen;
    for (const uint32_t model : order) {
      for (const AddedToken& token : Of(model).added()) {
        if (token.id >= RowsOf(model)) {
          continue;
        }
        const auto [known, is_new] = seen.emplace(token.content, &token);
        if (is_new) {
          first.push_back(&token);
          continue;
        }
        AddedToken renumbered = token;
        renumbered.id = known->second->id;
        if (renumbered != *known->second) {
          notices_.push_back(
              Format("models add the token {} with different settings: those of the "
                     "first one are taken",
                     Printable(token.content, 60)));
        }
      }
    }
    return first;
  }

  void SetRows() {
    out_.tokens = ids_.size();
    out_.is_token.assign(end_, false);
    for (const auto& [token, id] : ids_) {
      out_.is_token[id] = true;
    }
    const uint64_t multiple = std::max<uint64_t>(request_.pad_to_multiple_of, 1);
    out_.rows = multiple > kMostRows ? multiple : RoundUp(end_, multiple);
    if (out_.rows > kMostRows) {
      throw Error(ErrorCode::kUsage, {.file = {},
                                      .object = "tokenizer.pad_to_multiple_of",
                                      .what = "the vocabulary would have too many rows",
                                      .expected = Format("at most {}", kMostRows),
                                      .found = std::to_string(out_.rows),
                                      .offset = {},
                                      .advice = {}});
    }
  }

  void MapModel(uint32_t model) {
    const SourceVocabulary& vocabulary = Of(model);
    const uint64_t rows = RowsOf(model);
    std::vector<int32_t> ids(end_, -1);
    uint64_t beyond = 0;
    for (const Token& token : vocabulary.tokens()) {
      if (token.id >= rows) {
        ++beyond;
      } else if (const auto place = ids_.find(token.text); place != ids_.end()) {
        ids[place->second] = static_cast<int32_t>(token.id);
      }
    }
    if (beyond != 0) {
      notices_.push_back(
          Format("{}: tokens of its tokenizer without a row, as vocab_size is {}: {}",
                 models_[model].name, rows, beyond));
    }
    out_.ids.push_back(std::move(ids));
  }

  void SetSources() {
    for (const auto& [token, source] : request_.tokens) {
      const uint32_t id = ids_.at(token);
      TokenSource row = source;
      if (source.kind == TokenSource::Kind::kUnset && source.force) {
        FailToken(token, "`force` needs a `source`", "say from which model its row is taken");
      }
      if (source.kind == TokenSource::Kind::kModel) {
        const int32_t own = out_.ids[source.model][id];
        if (own < 0) {
          FailToken(token, Format("{} has no row of this token", models_[source.model].name),
                    "name another model, or another token of it with kind: model_token");
        }
        row.id = static_cast<uint64_t>(own);
        row.kind = TokenSource::Kind::kId;
      } else if (source.kind == TokenSource::Kind::kToken) {
        const std::optional<uint32_t> own = Of(source.model).Find(source.token);
        if (!own.has_value() || *own >= RowsOf(source.model)) {
          FailToken(token,
                    Format("{} has no row of the token {}", models_[source.model].name,
                           Printable(source.token, 60)),
                    "tokens are spelled as in the model's tokenizer.json");
        }
        row.id = *own;
        row.kind = TokenSource::Kind::kId;
      }
      out_.sources.push_back({id, row});
    }
    std::sort(out_.sources.begin(), out_.sources.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
  }

  [[noreturn]] static void FailToken(const std::string& token, std::string what,
                                     std::string advice) {
    throw Error(ErrorCode::kUsage, {.file = {},
                                    .object = "tokenizer.tokens." + Printable(token, 60),
                                    .what = std::move(what),
                                    .expected = {},
                                    .found = {},
                                    .offset = {},
                                    .advice = std::move(advice)});
  }

  void NoteOrphans() {
    std::unordered_set<uint32_t> sourced;
    for (const OutputVocabulary::Explicit& entry : out_.sources) {
      if (entry.source.kind != TokenSource::Kind::kUnset) {
        sourced.insert(entry.id);
      }
    }
    uint64_t orphans = 0;
    for (uint32_t id = 0; id < end_; ++id) {
      const bool owned = std::any_of(out_.ids.begin(), out_.ids.end(),
                                     [&](const auto& ids) { return ids[id] >= 0; });
      orphans += out_.is_token[id] && !owned && sourced.count(id) == 0 ? 1 : 0;
    }
    if (orphans != 0) {
      notices_.push_back(
          Format("tokens that no model has a row for, which gets zeros: {}", orphans));
    }
  }

  const std::vector<ModelTokenizer>& models_;
  uint32_t base_;
  const TokenizerRequest& request_;
  std::vector<std::string>& notices_;
  std::vector<std::shared_ptr<const SourceVocabulary>> vocabularies_;  // nullptr: as the base's
  OutputVocabulary out_;
  std::unordered_map<std::string, uint32_t> ids_;  // of the result
  std::unordered_set<std::string> added_;          // tokens in out_.added
  uint64_t end_ = 0;                               // behind the largest id
  NextTokenId next_id_;
};

}  // namespace

OutputVocabulary BuildOutputVocabulary(const std::vector<ModelTokenizer>& models, uint32_t base,
                                       const TokenizerRequest& request,
                                       std::vector<std::string>& notices) {
  return VocabularyBuilder(models, base, request, notices).Build();
}

}  // namespace lbrx
