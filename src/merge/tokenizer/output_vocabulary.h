// The tokenizer of a merge: which tokens the result has, and which row of which model each has its
// row from. The rules are mergekit's, the order of new tokens is that of models and ids.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "merge/tokenizer/source_vocabulary.h"

namespace lbrx {

// Where the default row of a token comes from. By its kind: the token's own row in `model`; the row
// of another token of it, by text or by id; zeros; or what the rules say.
struct TokenSource {
  enum class Kind : uint8_t { kUnset, kModel, kToken, kId, kZero };

  Kind kind = Kind::kUnset;
  uint32_t model = 0;
  std::string token = {};
  uint64_t id = 0;
  bool force = false;  // models that have the token get the default row too
};

// The `tokenizer` block of a merge, models as indices.
struct TokenizerRequest {
  enum class Source : uint8_t { kUnion, kBase, kModel };

  Source source = Source::kUnion;
  uint32_t model = 0;  // of kModel
  std::vector<std::pair<std::string, TokenSource>> tokens;
  uint64_t pad_to_multiple_of = 0;  // 0: no padding
};

// The tokens of the result and where they are in each model.
struct OutputVocabulary {
  // A token with a source of its own.
  struct Explicit {
    uint32_t id = 0;
    TokenSource source;  // kUnset, kZero, or kId with the row in the model
  };

  uint64_t tokens = 0;                    // how many
  uint64_t rows = 0;                      // of matrices, and config.json's vocab_size
  std::vector<bool> is_token;             // by id up to the largest; others are filled as padding
  std::vector<std::vector<int32_t>> ids;  // of each model, by id here: its own id, or -1
  std::vector<Explicit> sources;          // by id
  std::vector<std::string> names;         // of the models, for messages

  // What the files follow from.
  uint32_t donor = 0;             // the model whose tokenizer it is made of
  uint64_t donor_limit = 0;       // tokens of the donor from this id on are left out
  std::vector<AddedToken> added;  // all of the result, by id
  bool changed = false;           // not the donor's tokenizer as it is
  std::vector<std::pair<std::string, uint32_t>> roles;  // "bos_token"... and the token's id
};

// `models`: in the order of the configuration; there may be others behind them from which only the
// tokenizer is taken. `base`: base_model, or the first one. Models without a tokenizer are taken to
// have base's. A token whose id is beyond the model's vocab_size has no row there, as if the model
// did not have it. Throws kUsage for requests that cannot be met: an explicit source that is no
// token of its model, `force` without a source, too many rows.
OutputVocabulary BuildOutputVocabulary(const std::vector<ModelTokenizer>& models, uint32_t base,
                                       const TokenizerRequest& request,
                                       std::vector<std::string>& notices);

}  // namespace lbrx
