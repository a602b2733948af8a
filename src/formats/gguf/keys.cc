#include "formats/gguf/keys.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

namespace lbrx {
namespace {

struct TypeRow {
  GgufType type;
  std::string_view name;
  uint64_t bytes;
};

constexpr std::array<TypeRow, 13> kTypes = {{
    {GgufType::kU8, "u8", 1},
    {GgufType::kI8, "i8", 1},
    {GgufType::kU16, "u16", 2},
    {GgufType::kI16, "i16", 2},
    {GgufType::kU32, "u32", 4},
    {GgufType::kI32, "i32", 4},
    {GgufType::kF32, "f32", 4},
    {GgufType::kBool, "bool", 1},
    {GgufType::kString, "str", 0},
    {GgufType::kArray, "array", 0},
    {GgufType::kU64, "u64", 8},
    {GgufType::kI64, "i64", 8},
    {GgufType::kF64, "f64", 8},
}};

const TypeRow* RowOf(GgufType type) {
  const auto index = static_cast<uint32_t>(type);
  return index < kTypes.size() ? &kTypes[index] : nullptr;
}

template <typename T>
T At(std::span<const std::byte> bytes, uint64_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

}  // namespace

std::string_view GgufTypeName(GgufType type) {
  const TypeRow* row = RowOf(type);
  return row == nullptr ? std::string_view() : row->name;
}

std::optional<GgufType> GgufTypeByName(std::string_view name) {
  for (const TypeRow& row : kTypes) {
    if (row.name == name) {
      return row.type;
    }
  }
  return std::nullopt;
}

uint64_t GgufTypeBytes(GgufType type) {
  const TypeRow* row = RowOf(type);
  return row == nullptr ? 0 : row->bytes;
}

GgufValue GgufValue::String(std::string value) {
  return {GgufType::kString, false, std::move(value)};
}

GgufValue GgufValue::Strings(std::vector<std::string> values) {
  return {GgufType::kString, true, std::move(values)};
}

GgufValue GgufValue::FromBytes(GgufType type, bool is_array, std::vector<std::byte> bytes) {
  return {type, is_array, Elements{std::move(bytes)}};
}

uint64_t GgufValue::size() const {
  if (!is_array_) {
    return 1;
  }
  if (const auto* strings = std::get_if<std::vector<std::string>>(&content_)) {
    return strings->size();
  }
  return bytes().size() / GgufTypeBytes(type_);
}

std::span<const std::byte> GgufValue::bytes() const {
  const auto* elements = std::get_if<Elements>(&content_);
  return elements == nullptr ? std::span<const std::byte>() : std::span(elements->bytes);
}

std::optional<int64_t> GgufValue::IntAt(uint64_t index) const {
  switch (type_) {
    case GgufType::kU8:
      return At<uint8_t>(bytes(), index);
    case GgufType::kI8:
      return At<int8_t>(bytes(), index);
    case GgufType::kU16:
      return At<uint16_t>(bytes(), index);
    case GgufType::kI16:
      return At<int16_t>(bytes(), index);
    case GgufType::kU32:
      return At<uint32_t>(bytes(), index);
    case GgufType::kI32:
      return At<int32_t>(bytes(), index);
    case GgufType::kI64:
      return At<int64_t>(bytes(), index);
    case GgufType::kU64: {
      const auto value = At<uint64_t>(bytes(), index);
      constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
      return value <= kMost ? std::optional(static_cast<int64_t>(value)) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

std::optional<double> GgufValue::NumberAt(uint64_t index) const {
  if (type_ == GgufType::kF32) {
    return At<float>(bytes(), index);
  }
  if (type_ == GgufType::kF64) {
    return At<double>(bytes(), index);
  }
  const std::optional<int64_t> integer = IntAt(index);
  return integer ? std::optional(static_cast<double>(*integer)) : std::nullopt;
}

std::optional<int64_t> GgufValue::AsInt() const {
  return is_array_ ? std::nullopt : IntAt(0);
}

std::optional<uint64_t> GgufValue::AsUint() const {
  if (type_ == GgufType::kU64 && !is_array_) {
    return At<uint64_t>(bytes(), 0);
  }
  const std::optional<int64_t> value = AsInt();
  return value && *value >= 0 ? std::optional(static_cast<uint64_t>(*value)) : std::nullopt;
}

std::optional<double> GgufValue::AsNumber() const {
  return is_array_ ? std::nullopt : NumberAt(0);
}

std::optional<bool> GgufValue::AsBool() const {
  return type_ == GgufType::kBool && !is_array_ ? std::optional(At<uint8_t>(bytes(), 0) != 0)
                                                : std::nullopt;
}

const std::string* GgufValue::AsString() const {
  return std::get_if<std::string>(&content_);
}

const std::vector<std::string>* GgufValue::AsStrings() const {
  return std::get_if<std::vector<std::string>>(&content_);
}

std::optional<std::vector<int64_t>> GgufValue::AsInts() const {
  if (!is_array_) {
    return std::nullopt;
  }
  std::vector<int64_t> out;
  out.reserve(size());
  for (uint64_t i = 0; i < size(); ++i) {
    const std::optional<int64_t> value = IntAt(i);
    if (!value) {
      return std::nullopt;
    }
    out.push_back(*value);
  }
  return out;
}

std::optional<std::vector<double>> GgufValue::AsNumbers() const {
  if (!is_array_) {
    return std::nullopt;
  }
  std::vector<double> out;
  out.reserve(size());
  for (uint64_t i = 0; i < size(); ++i) {
    const std::optional<double> value = NumberAt(i);
    if (!value) {
      return std::nullopt;
    }
    out.push_back(*value);
  }
  return out;
}

const GgufValue* GgufKeys::Find(std::string_view key) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.first == key; });
  return found == entries_.end() ? nullptr : &found->second;
}

void GgufKeys::Set(std::string_view key, GgufValue value) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.first == key; });
  if (found == entries_.end()) {
    entries_.emplace_back(key, std::move(value));
  } else {
    found->second = std::move(value);
  }
}

bool GgufKeys::Remove(std::string_view key) {
  return std::erase_if(entries_, [&](const Entry& entry) { return entry.first == key; }) > 0;
}

std::optional<uint64_t> GgufKeys::Uint(std::string_view key) const {
  const GgufValue* value = Find(key);
  return value == nullptr ? std::nullopt : value->AsUint();
}

std::optional<double> GgufKeys::Number(std::string_view key) const {
  const GgufValue* value = Find(key);
  return value == nullptr ? std::nullopt : value->AsNumber();
}

std::optional<bool> GgufKeys::Bool(std::string_view key) const {
  const GgufValue* value = Find(key);
  return value == nullptr ? std::nullopt : value->AsBool();
}

std::string GgufKeys::String(std::string_view key) const {
  const GgufValue* value = Find(key);
  const std::string* text = value == nullptr ? nullptr : value->AsString();
  return text == nullptr ? std::string() : *text;
}

}  // namespace lbrx
