// What a GGUF file says of its model: keys with typed values, in the file's order. The format's own
// specification: ggml's docs/gguf.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace lbrx {

// Numbers as in the file.
enum class GgufType : uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

// "u32", "str", "bool": as users write them. "" for an unknown number.
std::string_view GgufTypeName(GgufType type);
std::optional<GgufType> GgufTypeByName(std::string_view name);
// Bytes of an element; 0 for strings and arrays.
uint64_t GgufTypeBytes(GgufType type);

// A scalar, or an array of one element type. (Arrays of arrays, which no program writes, are not
// held.)
class GgufValue {
 public:
  static GgufValue U32(uint32_t value) { return Scalar(GgufType::kU32, value); }

  static GgufValue F32(float value) { return Scalar(GgufType::kF32, value); }

  static GgufValue Bool(bool value) { return Scalar(GgufType::kBool, uint8_t{value}); }

  static GgufValue String(std::string value);
  static GgufValue Strings(std::vector<std::string> values);

  static GgufValue I32s(std::span<const int32_t> values) { return Numbers(GgufType::kI32, values); }

  static GgufValue U32s(std::span<const uint32_t> values) {
    return Numbers(GgufType::kU32, values);
  }

  static GgufValue F32s(std::span<const float> values) { return Numbers(GgufType::kF32, values); }

  // Numbers of any type, little-endian as in the file; `bytes` is of whole elements (one, unless
  // `is_array`).
  static GgufValue FromBytes(GgufType type, bool is_array, std::vector<std::byte> bytes);

  GgufType type() const { return type_; }  // of an array: of its elements

  bool is_array() const { return is_array_; }

  bool is_string() const { return type_ == GgufType::kString && !is_array_; }

  uint64_t size() const;  // elements; 1 for a scalar

  // The values as a C++ type; nullopt, or nullptr, where the value is of another kind or does not
  // fit. Integers of any width are one kind, and booleans and floats are others.
  std::optional<uint64_t> AsUint() const;
  std::optional<int64_t> AsInt() const;
  std::optional<double> AsNumber() const;  // an integer or a float
  std::optional<bool> AsBool() const;
  const std::string* AsString() const;
  const std::vector<std::string>* AsStrings() const;
  std::optional<std::vector<int64_t>> AsInts() const;
  std::optional<std::vector<double>> AsNumbers() const;

  // Of numbers, as in FromBytes; empty for strings.
  std::span<const std::byte> bytes() const;

  bool operator==(const GgufValue&) const = default;

 private:
  // A type of our own: of a variant of vectors and strings alone libstdc++ 12 believes that it
  // always holds a value, also where copying one ran out of memory.
  struct Elements {
    std::vector<std::byte> bytes;

    bool operator==(const Elements&) const = default;
  };

  using Content = std::variant<Elements, std::string, std::vector<std::string>>;

  GgufValue(GgufType type, bool is_array, Content content)
      : type_(type), is_array_(is_array), content_(std::move(content)) {}

  template <typename T>
  static GgufValue Scalar(GgufType type, T value) {
    const auto bytes = std::as_bytes(std::span(&value, 1));
    return {type, false, Elements{{bytes.begin(), bytes.end()}}};
  }

  template <typename T>
  static GgufValue Numbers(GgufType type, std::span<const T> values) {
    const auto bytes = std::as_bytes(values);
    return {type, true, Elements{{bytes.begin(), bytes.end()}}};
  }

  // Element `index` of numbers; nullopt where the type is no integer, or no number.
  std::optional<int64_t> IntAt(uint64_t index) const;
  std::optional<double> NumberAt(uint64_t index) const;

  GgufType type_;
  bool is_array_;
  Content content_;
};

// Keys with their values, in order, each once.
class GgufKeys {
 public:
  using Entry = std::pair<std::string, GgufValue>;

  // nullptr where there is none.
  const GgufValue* Find(std::string_view key) const;
  // In place of the key's value where there is one, else at the end.
  void Set(std::string_view key, GgufValue value);
  bool Remove(std::string_view key);

  // At the end, without looking whether the key is there: the caller knows that it is not.
  void Append(std::string key, GgufValue value) {
    entries_.emplace_back(std::move(key), std::move(value));
  }

  const std::vector<Entry>& entries() const { return entries_; }

  // Short for Find and As...; nullopt, or an empty string, also where the key is missing.
  std::optional<uint64_t> Uint(std::string_view key) const;
  std::optional<double> Number(std::string_view key) const;
  std::optional<bool> Bool(std::string_view key) const;
  std::string String(std::string_view key) const;

  bool operator==(const GgufKeys&) const = default;

 private:
  std::vector<Entry> entries_;
};

}  // namespace lbrx
