#include <algorithm>
#include <limits>
#include <numeric>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/text/json.h"

namespace lbrx {

namespace {

const char* KindName(Json::Kind kind) {
  switch (kind) {
    case Json::Kind::kNull:
      return "null";
    case Json::Kind::kBool:
      return "true or false";
    case Json::Kind::kInteger:
    case Json::Kind::kUnsigned:
      return "an integer";
    case Json::Kind::kDouble:
      return "a number with a fraction";
    case Json::Kind::kString:
      return "a string";
    case Json::Kind::kArray:
      return "an array";
    case Json::Kind::kObject:
      return "an object";
  }
  return "nothing";
}

// What was found, with the value itself where it is short.
std::string Describe(const Json& value) {
  switch (value.kind()) {
    case Json::Kind::kArray:
    case Json::Kind::kObject:
      return KindName(value.kind());
    case Json::Kind::kString:
      return "the string " + Printable(WriteJson(value), 60);
    default:
      return Printable(WriteJson(value), 60);
  }
}

[[noreturn]] void ThrowWrongKind(const Json& value, const char* expected) {
  ErrorDetail detail;
  detail.what = "wrong kind of JSON value";
  detail.expected = expected;
  detail.found = Describe(value);
  throw Error(ErrorCode::kInvalid, std::move(detail));
}

// Indices of the members, sorted by key (equal keys in order of appearance).
std::vector<uint32_t> SortedMembers(const Json::Object& object) {
  std::vector<uint32_t> order(object.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return object[a].first < object[b].first; });
  return order;
}

bool SameMembers(const Json::Object& a, const Json::Object& b) {
  if (a.size() != b.size()) {
    return false;
  }
  const std::vector<uint32_t> order_a = SortedMembers(a);
  const std::vector<uint32_t> order_b = SortedMembers(b);
  return std::equal(order_a.begin(), order_a.end(), order_b.begin(), [&](uint32_t i, uint32_t j) {
    return a[i].first == b[j].first && a[i].second == b[j].second;
  });
}

bool SameInteger(const Json& a, const Json& b) {
  const auto negative = [](const Json& value) {
    return value.kind() == Json::Kind::kInteger && value.AsInt64() < 0;
  };
  if (negative(a) || negative(b)) {
    return negative(a) && negative(b) && a.AsInt64() == b.AsInt64();
  }
  return a.AsUint64() == b.AsUint64();
}

}  // namespace

Json::Json(bool value) : value_(value) {}

Json::Json(int value) : value_(int64_t{value}) {}

Json::Json(int64_t value) : value_(value) {}

Json::Json(uint64_t value) : value_(value) {}

Json::Json(double value) : value_(Real{value, {}}) {}

Json::Json(const char* value) : value_(std::string(value)) {}

Json::Json(std::string value) : value_(std::move(value)) {}

Json::Json(std::string_view value) : value_(std::string(value)) {}

Json::Json(Array value) : value_(std::move(value)) {}

Json::Json(Object value) : value_(std::move(value)) {}

Json Json::MakeArray() {
  return Json(Array{});
}

Json Json::MakeObject() {
  return Json(Object{});
}

Json Json::Number(double value, std::string spelling) {
  Json out;
  out.value_ = Real{value, std::move(spelling)};
  return out;
}

bool Json::AsBool() const {
  if (const bool* value = std::get_if<bool>(&value_)) {
    return *value;
  }
  ThrowWrongKind(*this, "true or false");
}

int64_t Json::AsInt64() const {
  if (const int64_t* value = std::get_if<int64_t>(&value_)) {
    return *value;
  }
  const uint64_t* value = std::get_if<uint64_t>(&value_);
  if (value != nullptr && *value <= uint64_t{std::numeric_limits<int64_t>::max()}) {
    return static_cast<int64_t>(*value);
  }
  ThrowWrongKind(*this, "an integer of 64 bits");
}

uint64_t Json::AsUint64() const {
  if (const uint64_t* value = std::get_if<uint64_t>(&value_)) {
    return *value;
  }
  const int64_t* value = std::get_if<int64_t>(&value_);
  if (value != nullptr && *value >= 0) {
    return static_cast<uint64_t>(*value);
  }
  ThrowWrongKind(*this, "an integer that is not negative");
}

double Json::AsDouble() const {
  switch (kind()) {
    case Kind::kDouble:
      return std::get<Real>(value_).value;
    case Kind::kInteger:
      return static_cast<double>(std::get<int64_t>(value_));
    case Kind::kUnsigned:
      return static_cast<double>(std::get<uint64_t>(value_));
    default:
      ThrowWrongKind(*this, "a number");
  }
}

const std::string& Json::AsString() const {
  if (const auto* value = std::get_if<std::string>(&value_)) {
    return *value;
  }
  ThrowWrongKind(*this, "a string");
}

const Json::Array& Json::AsArray() const {
  if (const auto* value = std::get_if<Array>(&value_)) {
    return *value;
  }
  ThrowWrongKind(*this, "an array");
}

Json::Array& Json::AsArray() {
  return const_cast<Array&>(std::as_const(*this).AsArray());
}

const Json::Object& Json::AsObject() const {
  if (const auto* value = std::get_if<Object>(&value_)) {
    return *value;
  }
  ThrowWrongKind(*this, "an object");
}

Json::Object& Json::AsObject() {
  return const_cast<Object&>(std::as_const(*this).AsObject());
}

std::string_view Json::Spelling() const {
  const Real* value = std::get_if<Real>(&value_);
  return value == nullptr ? std::string_view() : value->spelling;
}

const Json* Json::Find(std::string_view key) const {
  const auto* object = std::get_if<Object>(&value_);
  if (object == nullptr) {
    return nullptr;
  }
  for (const Member& member : *object) {
    if (member.first == key) {
      return &member.second;
    }
  }
  return nullptr;
}

Json* Json::Find(std::string_view key) {
  return const_cast<Json*>(std::as_const(*this).Find(key));
}

void Json::Set(std::string_view key, Json value) {
  Object& object = AsObject();
  if (Json* found = Find(key)) {
    *found = std::move(value);
  } else {
    object.emplace_back(std::string(key), std::move(value));
  }
}

bool Json::Erase(std::string_view key) {
  Object& object = AsObject();
  const auto found = std::find_if(object.begin(), object.end(),
                                  [&](const Member& member) { return member.first == key; });
  if (found == object.end()) {
    return false;
  }
  object.erase(found);
  return true;
}

void Json::Append(Json value) {
  AsArray().push_back(std::move(value));
}

bool Json::operator==(const Json& other) const {
  if (is_integer() && other.is_integer()) {
    return SameInteger(*this, other);
  }
  if (kind() != other.kind()) {
    return false;
  }
  switch (kind()) {
    case Kind::kDouble:
      return AsDouble() == other.AsDouble();
    case Kind::kArray:
      return AsArray() == other.AsArray();
    case Kind::kObject:
      return SameMembers(AsObject(), other.AsObject());
    case Kind::kString:
      return AsString() == other.AsString();
    case Kind::kBool:
      return AsBool() == other.AsBool();
    default:
      return true;  // null
  }
}

}  // namespace lbrx
