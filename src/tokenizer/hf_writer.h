// tokenizer.json, written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/text/json.h"
#include "formats/gguf/keys.h"
#include "tokenizer/gguf_tokenizer.h"

namespace lbrx {

// What a tokenizer.json consists of. A BPE model; the long lists are views of what they come from.
struct HfParts {
  Json added_tokens = Json::MakeArray();
  Json normalizer;
  Json pre_tokenizer;
  Json post_processor;
  Json decoder;
  Json unk_token;
  bool fuse_unk = false;
  bool byte_fallback = false;
  bool ignore_merges = false;
  std::vector<std::pair<std::string_view, uint64_t>> vocab;
  std::vector<std::pair<std::string_view, std::string_view>> merges;
};

std::string WriteHfTokenizer(const HfParts& parts);

// Fills added_tokens and vocab. The library numbers added tokens behind the vocabulary; those that
// would get another id so are also in the vocabulary.
void DivideTokens(const GgufTokenizer& tokenizer, const GgufKeys& keys, HfParts& parts);

// One object of tokenizer.json: {"type": ..., members...}.
Json Typed(std::string_view type, Json::Object members = {});

// {"type": "Sequence", list: steps}; of one step itself, of none null.
Json Sequence(std::string_view list, Json::Array steps);

// Spaces are U+2581 in pieces, one of which stands before a text where `prefix`; bytes that are no
// piece are tokens of their own.
void SetSpaceMarks(bool prefix, HfParts& parts);

// What puts bos and eos around every text; null where neither is added.
Json WritePostProcessor(const GgufKeys& keys, const GgufTokenizer& tokenizer);

}  // namespace lbrx
