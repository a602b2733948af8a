#include "cli/formatters/gguf_keys.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cli/formatters/text.h"
#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

constexpr size_t kMostElements = 8;  // of an array that are shown
constexpr size_t kLongestText = 120;
constexpr size_t kLongestElement = 40;
constexpr std::string_view kTokenizer = "tokenizer.ggml.";
constexpr std::string_view kTokenIdEnding = "_token_id";
constexpr std::string_view kChatTemplate = "tokenizer.chat_template";

template <typename T>
T ElementAt(const GgufValue& value, size_t index) {
  T element;
  std::memcpy(&element, value.bytes().data() + index * sizeof(T), sizeof(T));
  return element;
}

// A float in the fewest digits that give it back.
template <typename T>
Json Real(T value) {
  return std::isfinite(value) ? Json::Number(static_cast<double>(value), Format("{}", value))
                              : Json();
}

Json ElementJson(const GgufValue& value, size_t index) {
  switch (value.type()) {
    case GgufType::kU8:
      return uint64_t{ElementAt<uint8_t>(value, index)};
    case GgufType::kI8:
      return int64_t{ElementAt<int8_t>(value, index)};
    case GgufType::kU16:
      return uint64_t{ElementAt<uint16_t>(value, index)};
    case GgufType::kI16:
      return int64_t{ElementAt<int16_t>(value, index)};
    case GgufType::kU32:
      return uint64_t{ElementAt<uint32_t>(value, index)};
    case GgufType::kI32:
      return int64_t{ElementAt<int32_t>(value, index)};
    case GgufType::kU64:
      return ElementAt<uint64_t>(value, index);
    case GgufType::kI64:
      return ElementAt<int64_t>(value, index);
    case GgufType::kF32:
      return Real(ElementAt<float>(value, index));
    case GgufType::kF64:
      return Real(ElementAt<double>(value, index));
    case GgufType::kBool:
      return ElementAt<uint8_t>(value, index) != 0;
    case GgufType::kString:
      return value.is_array() ? (*value.AsStrings())[index] : *value.AsString();
    case GgufType::kArray:
      break;  // never the type of an element
  }
  return {};
}

std::string ElementText(const GgufValue& value, size_t index) {
  switch (value.type()) {
    case GgufType::kString: {
      const std::string& text = value.is_array() ? (*value.AsStrings())[index] : *value.AsString();
      return "\"" + Printable(text, value.is_array() ? kLongestElement : kLongestText) + "\"";
    }
    case GgufType::kF32:
      return Format("{}", ElementAt<float>(value, index));
    case GgufType::kF64:
      return Format("{}", ElementAt<double>(value, index));
    default:
      return WriteJson(ElementJson(value, index));
  }
}

uint64_t CountOf(const GgufKeys& keys, std::string_view name) {
  const GgufValue* value = keys.Find(std::string(kTokenizer) + std::string(name));
  return value != nullptr && value->is_array() ? value->size() : 0;
}

// "bos" of tokenizer.ggml.bos_token_id; empty for other keys.
std::string_view SpecialToken(std::string_view key) {
  if (!key.starts_with(kTokenizer) || !key.ends_with(kTokenIdEnding)) {
    return {};
  }
  key.remove_prefix(kTokenizer.size());
  key.remove_suffix(kTokenIdEnding.size());
  return key;
}

}  // namespace

std::string GgufTypeText(const GgufValue& value) {
  return std::string(GgufTypeName(value.type())) + (value.is_array() ? "[]" : "");
}

std::string GgufValueText(const GgufValue& value) {
  if (!value.is_array()) {
    return ElementText(value, 0);
  }
  const size_t shown = std::min<uint64_t>(value.size(), kMostElements);
  std::string text = "[";
  for (size_t i = 0; i < shown; ++i) {
    text += (i == 0 ? "" : ", ") + ElementText(value, i);
  }
  return shown == value.size() ? text + "]"
                               : text + Format(", ...] ({})", FormatCount(value.size()));
}

Json GgufKeysJson(const GgufKeys& keys) {
  Json out = Json::MakeObject();
  for (const auto& [key, value] : keys.entries()) {
    Json row = Json::MakeObject();
    row.Set("type", GgufTypeText(value));
    if (value.is_array()) {
      Json elements = Json::MakeArray();
      for (size_t i = 0; i < std::min<uint64_t>(value.size(), kMostElements); ++i) {
        elements.Append(ElementJson(value, i));
      }
      row.Set("count", value.size());
      row.Set("value", std::move(elements));
    } else {
      row.Set("value", ElementJson(value, 0));
    }
    out.AsObject().emplace_back(key, std::move(row));
  }
  return out;
}

std::string GgufTokenizerText(const GgufKeys& keys) {
  const std::string model = keys.String("tokenizer.ggml.model");
  if (model.empty()) {
    return {};
  }
  std::string text = Printable(model);
  if (const std::string pre = keys.String("tokenizer.ggml.pre"); !pre.empty()) {
    text += " (" + Printable(pre) + ")";
  }
  text += Format(", {} tokens", FormatCount(CountOf(keys, "tokens")));
  if (const uint64_t merges = CountOf(keys, "merges"); merges != 0) {
    text += Format(", {} merges", FormatCount(merges));
  }
  for (const auto& [key, value] : keys.entries()) {
    const std::string_view token = SpecialToken(key);
    if (!token.empty() && value.AsUint()) {
      text += Format(", {} {}", Printable(token), *value.AsUint());
    }
  }
  return text + (keys.Find(kChatTemplate) != nullptr ? ", a chat template" : "");
}

Json GgufTokenizerJson(const GgufKeys& keys) {
  const std::string model = keys.String("tokenizer.ggml.model");
  if (model.empty()) {
    return {};
  }
  const std::string pre = keys.String("tokenizer.ggml.pre");
  Json special = Json::MakeObject();
  for (const auto& [key, value] : keys.entries()) {
    const std::string_view token = SpecialToken(key);
    if (!token.empty() && value.AsUint()) {
      special.Set(token, *value.AsUint());
    }
  }
  return Json::Object{{"model", model},
                      {"pre", pre.empty() ? Json() : Json(pre)},
                      {"tokens", CountOf(keys, "tokens")},
                      {"merges", CountOf(keys, "merges")},
                      {"special", std::move(special)},
                      {"chat_template", keys.Find(kChatTemplate) != nullptr}};
}

}  // namespace lbrx
