// What users write for a GGUF value.
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "convert/edit.h"
#include "core/base/format.h"
#include "core/base/plain_text.h"

namespace lbrx {
namespace {

[[noreturn]] void Refuse(const std::string& object, std::string what, std::string expected,
                         const std::string& found) {
  throw Error(ErrorCode::kUsage, {.file = {},
                                  .object = object,
                                  .what = std::move(what),
                                  .expected = std::move(expected),
                                  .found = "'" + found + "'",
                                  .offset = {},
                                  .advice = {}});
}

// Elements of an array, whatever their type, as text.
std::vector<std::string> SplitElements(const std::string& text) {
  std::vector<std::string> out;
  if (text.empty()) {
    return out;
  }
  out.emplace_back();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == ',' || text[i + 1] == '\\')) {
      out.back() += text[++i];
    } else if (text[i] == ',') {
      out.emplace_back();
    } else {
      out.back() += text[i];
    }
  }
  return out;
}

class NumberParser {
 public:
  NumberParser(const std::string& key, GgufType type) : key_(key), type_(type) {}

  void Append(const std::string& text) {
    switch (type_) {
      case GgufType::kU8:
        return Integer<uint8_t>(text);
      case GgufType::kI8:
        return Integer<int8_t>(text);
      case GgufType::kU16:
        return Integer<uint16_t>(text);
      case GgufType::kI16:
        return Integer<int16_t>(text);
      case GgufType::kU32:
        return Integer<uint32_t>(text);
      case GgufType::kI32:
        return Integer<int32_t>(text);
      case GgufType::kU64:
        return Integer<uint64_t>(text);
      case GgufType::kI64:
        return Integer<int64_t>(text);
      case GgufType::kF32:
        return Real(text, &ParseFloat);
      case GgufType::kF64:
        return Real(text, &ParseDouble);
      default:
        return Boolean(text);
    }
  }

  std::vector<std::byte> Take() { return std::move(bytes_); }

 private:
  template <typename T>
  void Put(T value) {
    const auto bytes = std::as_bytes(std::span(&value, 1));
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }

  template <typename T>
  void Integer(const std::string& text) {
    T value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
      Refuse(key_, Format("not a value of type {}", GgufTypeName(type_)),
             Format("a whole number from {} to {}", +std::numeric_limits<T>::min(),
                    +std::numeric_limits<T>::max()),
             text);
    }
    Put(value);
  }

  // Rounded once, to the type itself.
  template <typename T>
  void Real(const std::string& text, T (*parse)(const char*, char**)) {
    char* end = nullptr;
    const T value = parse(text.c_str(), &end);
    const bool overflows = std::abs(value) > std::numeric_limits<T>::max() &&
                           text.find_first_of("iI") == std::string::npos;
    const bool space = text.empty() || text[0] == ' ' || text[0] == '\t' || text[0] == '\n';
    if (space || *end != '\0' || overflows) {
      Refuse(key_, Format("not a value of type {}", GgufTypeName(type_)), "a number", text);
    }
    Put(value);
  }

  void Boolean(const std::string& text) {
    if (text != "true" && text != "false") {
      Refuse(key_, "not a value of type bool", "true or false", text);
    }
    Put(static_cast<uint8_t>(text == "true" ? 1 : 0));
  }

  const std::string& key_;
  GgufType type_;
  std::vector<std::byte> bytes_;
};

GgufValue ParseValue(const std::string& key, GgufType type, bool is_array,
                     const std::string& text) {
  if (type == GgufType::kString) {
    return is_array ? GgufValue::Strings(SplitElements(text)) : GgufValue::String(text);
  }
  NumberParser parser(key, type);
  if (!is_array) {
    parser.Append(text);
    return GgufValue::FromBytes(type, false, parser.Take());
  }
  for (const std::string& element : SplitElements(text)) {
    parser.Append(element);
  }
  return GgufValue::FromBytes(type, true, parser.Take());
}

}  // namespace

GgufEdit ParseGgufEdit(const std::string& text) {
  constexpr std::string_view kArray = "[]";
  const size_t equals = text.find('=');
  const size_t colon = equals == std::string::npos ? equals : text.find(':', equals);
  if (equals == 0 || colon == std::string::npos) {
    Refuse("--set", "not a key with type and value", "KEY=TYPE:VALUE", text);
  }
  const std::string key = text.substr(0, equals);
  std::string name = text.substr(equals + 1, colon - equals - 1);
  const bool is_array = name.ends_with(kArray);
  name.resize(name.size() - (is_array ? kArray.size() : 0));
  const std::optional<GgufType> type = GgufTypeByName(name);
  if (!type || *type == GgufType::kArray) {
    Refuse(key, "an unknown type of value",
           "u8, i8, u16, i16, u32, i32, u64, i64, f32, f64, bool, str, or one of them with []",
           name);
  }
  return {key, ParseValue(key, *type, is_array, text.substr(colon + 1))};
}

}  // namespace lbrx
