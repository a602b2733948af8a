#include "formats/gguf/change_keys.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/base/plain_text.h"

namespace lbrx {
namespace {

constexpr char kOverrideAdvice[] = "for example llama.expert_used_count=int:3";

[[noreturn]] void Refuse(std::string_view object, std::string what, std::string expected,
                         std::string found, std::string advice = "") {
  throw Error(ErrorCode::kUsage, {.file = "",
                                  .object = std::string(object),
                                  .what = std::move(what),
                                  .expected = std::move(expected),
                                  .found = std::move(found),
                                  .offset = {},
                                  .advice = std::move(advice)});
}

// A whole text as a decimal number; nullopt where it is none or does not fit.
template <typename T>
std::optional<T> ParseWhole(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

GgufValue ParseInt(std::string_view key, std::string_view text) {
  const auto value = ParseWhole<uint32_t>(text);
  if (!value) {
    Refuse(key, "the value is no int", "0 to 4294967295", std::string(text));
  }
  return GgufValue::U32(*value);
}

GgufValue ParseFloat(std::string_view key, const std::string& text) {
  char* end = nullptr;
  const double value = ParseDouble(text.c_str(), &end);
  if (text.empty() || end != text.c_str() + text.size() ||
      !std::isfinite(static_cast<float>(value))) {
    Refuse(key, "the value is no float", "a number that 32 bits hold", text);
  }
  return GgufValue::F32(static_cast<float>(value));
}

GgufValue ParseBool(std::string_view key, std::string_view text) {
  if (text != "true" && text != "false") {
    Refuse(key, "the value is no bool", "true or false", std::string(text));
  }
  return GgufValue::Bool(text == "true");
}

// The digits of N in a name with "blk.N."; empty: there are none.
std::string_view LayerDigits(std::string_view name) {
  constexpr std::string_view kBlock = "blk.";
  for (size_t at = name.find(kBlock); at != std::string_view::npos;
       at = name.find(kBlock, at + 1)) {
    const size_t begin = at + kBlock.size();
    const size_t end = name.find_first_not_of("0123456789", begin);
    if (end != std::string_view::npos && end > begin && name[end] == '.') {
      return name.substr(begin, end - begin);
    }
  }
  return {};
}

// Closes the gaps of elements left out; an element has `width` values.
template <typename T>
void KeepElements(std::vector<T>& values, size_t width, const std::vector<bool>& dropped) {
  size_t to = 0;
  for (size_t i = 0; i < dropped.size(); ++i) {
    if (!dropped[i]) {
      std::move(values.begin() + static_cast<ptrdiff_t>(i * width),
                values.begin() + static_cast<ptrdiff_t>((i + 1) * width),
                values.begin() + static_cast<ptrdiff_t>(to));
      to += width;
    }
  }
  values.resize(to);
}

// An array without some of its elements.
GgufValue Without(const GgufValue& array, const std::vector<bool>& dropped) {
  if (const std::vector<std::string>* strings = array.AsStrings()) {
    std::vector<std::string> kept = *strings;
    KeepElements(kept, 1, dropped);
    return GgufValue::Strings(std::move(kept));
  }
  std::vector<std::byte> kept(array.bytes().begin(), array.bytes().end());
  KeepElements(kept, GgufTypeBytes(array.type()), dropped);
  return GgufValue::FromBytes(array.type(), true, std::move(kept));
}

}  // namespace

void SetLast(GgufKeys& keys, std::string_view key, GgufValue value) {
  keys.Remove(key);
  keys.Set(key, std::move(value));
}

GgufKeys::Entry ParseKeyOverride(std::string_view text) {
  const size_t equals = text.find('=');
  const size_t colon = text.find(':', std::min(equals, text.size()));
  if (equals == 0 || equals == std::string_view::npos || colon == std::string_view::npos) {
    Refuse(text, "not an override of a key", "KEY=TYPE:VALUE", "", kOverrideAdvice);
  }
  const std::string key(text.substr(0, equals));
  const std::string_view type = text.substr(equals + 1, colon - equals - 1);
  const std::string value(text.substr(colon + 1));
  if (type == "int") {
    return {key, ParseInt(key, value)};
  }
  if (type == "float") {
    return {key, ParseFloat(key, value)};
  }
  if (type == "bool") {
    return {key, ParseBool(key, value)};
  }
  if (type == "str") {
    return {key, GgufValue::String(value)};
  }
  Refuse(key, "there is no such type", "int, float, bool or str", std::string(type),
         kOverrideAdvice);
}

std::vector<uint32_t> ParseLayerList(std::string_view text) {
  std::vector<uint32_t> layers;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    const auto layer = ParseWhole<uint32_t>(word);
    if (!layer) {
      Refuse(text, "not a list of layers", "numbers with commas between", std::string(word));
    }
    layers.push_back(*layer);
    begin = end + 1;
  }
  std::sort(layers.begin(), layers.end());
  layers.erase(std::unique(layers.begin(), layers.end()), layers.end());
  return layers;
}

LayerPruning::LayerPruning(std::span<const uint32_t> pruned, std::span<const std::string> names) {
  for (const std::string& name : names) {
    if (const auto layer = ParseWhole<uint64_t>(LayerDigits(name))) {
      renumbered_[*layer] = 0;
    }
  }
  for (const uint32_t layer : pruned) {
    const auto found = renumbered_.find(layer);
    if (found == renumbered_.end()) {
      Refuse(Format("layer {}", layer), "there is no such layer to prune",
             renumbered_.empty() ? "a model with layers"
                                 : Format("0 to {}", renumbered_.rbegin()->first),
             std::to_string(layer));
    }
    found->second = std::nullopt;
  }
  for (auto& [before, after] : renumbered_) {
    if (after) {
      after = left_++;
    }
  }
  if (left_ == 0) {
    Refuse("--prune-layers", "no layer is left", "at least one", "none");
  }
}

std::optional<std::string> LayerPruning::Rename(std::string_view name) const {
  const std::string_view digits = LayerDigits(name);
  const auto layer = ParseWhole<uint64_t>(digits);
  if (!layer) {
    return std::string(name);
  }
  const auto found = renumbered_.find(*layer);
  if (found == renumbered_.end() || !found->second) {
    return std::nullopt;
  }
  const auto at = static_cast<size_t>(digits.data() - name.data());
  return std::string(name).replace(at, digits.size(), std::to_string(*found->second));
}

std::vector<bool> LayerPruning::Dropped() const {
  std::vector<bool> dropped(renumbered_.rbegin()->first + 1);
  for (const auto& [before, after] : renumbered_) {
    dropped[before] = !after;
  }
  return dropped;
}

void LayerPruning::ChangeKeys(GgufKeys& keys) const {
  const std::string prefix = keys.String("general.architecture") + ".";
  const std::string count_key = prefix + "block_count";
  const uint64_t count = keys.Uint(count_key).value_or(0);
  const bool counted = renumbered_.rbegin()->first + 1 == count;
  std::vector<GgufKeys::Entry> changed;
  for (const auto& [key, value] : keys.entries()) {
    if (counted && value.is_array() && value.size() == count && key.rfind(prefix, 0) == 0 &&
        key.rfind(prefix + "rope.", 0) != 0) {
      changed.emplace_back(key, Without(value, Dropped()));
    }
  }
  for (auto& [key, value] : changed) {
    keys.Set(key, std::move(value));
  }
  SetLast(keys, count_key, GgufValue::U32(static_cast<uint32_t>(left_)));
}

}  // namespace lbrx
