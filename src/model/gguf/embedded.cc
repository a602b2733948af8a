#include "model/gguf/embedded.h"

#include <array>
#include <map>
#include <span>

#include "core/base/hash.h"

namespace lbrx {
namespace {

constexpr std::string_view kFilePrefix = "lbrx.file.";
constexpr std::string_view kDigestKey = "lbrx.files_agree_with";

// What transformers needs beside the tensors.
constexpr std::array<std::string_view, 11> kNames = {"config.json",
                                                     "generation_config.json",
                                                     "tokenizer.json",
                                                     "tokenizer.model",
                                                     "tokenizer_config.json",
                                                     "special_tokens_map.json",
                                                     "added_tokens.json",
                                                     "vocab.json",
                                                     "merges.txt",
                                                     "chat_template.jinja",
                                                     "preprocessor_config.json"};

void AddText(std::string_view text, Hasher128& hasher) {
  const uint64_t size = text.size();
  hasher.Update(std::as_bytes(std::span(&size, 1)));
  hasher.Update(text);
}

// Whether a key only names the model, or says how it is stored.
bool IsBeside(std::string_view key) {
  return key.starts_with("general.") || key.starts_with("split.") || key.starts_with("quantize.") ||
         key.starts_with("lbrx.");
}

void AddValue(const GgufValue& value, Hasher128& hasher) {
  const uint32_t kind[] = {static_cast<uint32_t>(value.type()), value.is_array() ? 1U : 0U};
  hasher.Update(std::as_bytes(std::span(kind)));
  hasher.Update(value.bytes());
  if (const std::string* text = value.AsString()) {
    AddText(*text, hasher);
  } else if (const std::vector<std::string>* texts = value.AsStrings()) {
    for (const std::string& text : *texts) {
      AddText(text, hasher);
    }
  }
}

// Of the keys of the model and its tokenizer, whatever their order.
std::string DigestOf(const GgufKeys& keys) {
  std::map<std::string_view, const GgufValue*> sorted;
  for (const auto& [key, value] : keys.entries()) {
    if (!IsBeside(key)) {
      sorted.emplace(key, &value);
    }
  }
  Hasher128 hasher;
  for (const auto& [key, value] : sorted) {
    AddText(key, hasher);
    AddValue(*value, hasher);
  }
  return hasher.Finish().Hex();
}

}  // namespace

std::vector<std::string_view> EmbeddableFiles() {
  return {kNames.begin(), kNames.end()};
}

void EmbedFiles(const std::vector<OutputText>& files, GgufKeys& keys) {
  keys.Set(kDigestKey, GgufValue::String(DigestOf(keys)));
  for (const OutputText& file : files) {
    const auto bytes = std::as_bytes(std::span(file.content));
    keys.Set(std::string(kFilePrefix) + file.name,
             GgufValue::FromBytes(GgufType::kU8, true, {bytes.begin(), bytes.end()}));
  }
}

Embedding EmbeddingIn(const GgufKeys& keys) {
  const GgufValue* digest = keys.Find(kDigestKey);
  if (digest == nullptr) {
    return Embedding::kNone;
  }
  return digest->AsString() != nullptr && *digest->AsString() == DigestOf(keys)
             ? Embedding::kCurrent
             : Embedding::kStale;
}

std::vector<OutputText> EmbeddedFiles(const GgufKeys& keys) {
  std::vector<OutputText> out;
  for (const std::string_view name : kNames) {  // no other name is ever written
    if (std::optional<std::string> content = EmbeddedFile(keys, name)) {
      out.push_back({.name = std::string(name), .content = std::move(*content)});
    }
  }
  return out;
}

std::optional<std::string> EmbeddedFile(const GgufKeys& keys, std::string_view name) {
  const GgufValue* value = keys.Find(std::string(kFilePrefix).append(name));
  if (value == nullptr || !value->is_array() || value->type() != GgufType::kU8) {
    return std::nullopt;
  }
  const auto bytes = value->bytes();
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace lbrx
