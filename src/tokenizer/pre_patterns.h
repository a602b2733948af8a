// How llama.cpp's named pre-tokenizers cut a text into words: data.
#pragma once

#include <span>
#include <string_view>

namespace lbrx {

// Expressions applied one after the other, each to the pieces that the one before left: matches and
// what lies between them become pieces of their own. Spelled as the tokenizers library takes them,
// control characters as escapes.
struct PrePattern {
  std::string_view id;  // the usual name of the tokenizers that have it
  std::span<const std::string_view> expressions;
  bool bytes = true;  // pieces are written in GPT-2's alphabet of bytes
};

// A value of tokenizer.ggml.pre.
struct PreName {
  std::string_view name;
  std::string_view pattern;  // a PrePattern's id
  // What llama.cpp does under this name.
  bool ignore_merges = false;  // a word that is a token is taken whole
  bool add_bos = false;        // unless tokenizer.ggml.add_bos_token says otherwise
  // GGUF architecture whose models have this name rather than the pattern's usual one.
  std::string_view architecture = {};
};

std::span<const PrePattern> PrePatterns();
std::span<const PreName> PreNames();

// nullptr where there is none.
const PrePattern* FindPrePattern(std::string_view id);
const PreName* FindPreName(std::string_view name);

// GPT-2's own expression, which ByteLevel applies by itself.
extern const std::string_view kGpt2Words;

}  // namespace lbrx
