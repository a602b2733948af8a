// Strict JSON (RFC 8259): UTF-8 only, duplicate keys refused, depth and size limited, member order
// and 64-bit integers kept exactly. Parsing is done by nlohmann's SAX parser in json.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace lbrx {

struct JsonLimits {
  uint64_t max_bytes = uint64_t{1} << 30;
  uint32_t max_depth = 256;
};

// A JSON value. Objects keep the order of their members. Numbers without fraction and exponent that
// fit 64 bits are integers; everything else is a double together with its spelling, so that writing
// it gives the same text.
class Json {
 public:
  // The order is that of the alternatives of `value_`.
  enum class Kind : uint8_t {
    kNull,
    kBool,
    kInteger,
    kUnsigned,
    kDouble,
    kString,
    kArray,
    kObject
  };
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  Json() = default;

  Json(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)

  Json(bool value);              // NOLINT(google-explicit-constructor)
  Json(int value);               // NOLINT(google-explicit-constructor)
  Json(int64_t value);           // NOLINT(google-explicit-constructor)
  Json(uint64_t value);          // NOLINT(google-explicit-constructor)
  Json(double value);            // NOLINT(google-explicit-constructor)
  Json(const char* value);       // NOLINT(google-explicit-constructor)
  Json(std::string value);       // NOLINT(google-explicit-constructor)
  Json(std::string_view value);  // NOLINT(google-explicit-constructor)
  Json(Array value);             // NOLINT(google-explicit-constructor)
  Json(Object value);            // NOLINT(google-explicit-constructor)
  static Json MakeArray();
  static Json MakeObject();
  // A double that is written as `spelling` (which must be a valid JSON number).
  static Json Number(double value, std::string spelling);

  Kind kind() const { return static_cast<Kind>(value_.index()); }

  bool is_null() const { return kind() == Kind::kNull; }

  bool is_bool() const { return kind() == Kind::kBool; }

  bool is_integer() const { return kind() == Kind::kInteger || kind() == Kind::kUnsigned; }

  bool is_number() const { return is_integer() || kind() == Kind::kDouble; }

  bool is_string() const { return kind() == Kind::kString; }

  bool is_array() const { return kind() == Kind::kArray; }

  bool is_object() const { return kind() == Kind::kObject; }

  // Accessors throw kInvalid naming what was expected and what was found.
  bool AsBool() const;
  int64_t AsInt64() const;
  uint64_t AsUint64() const;  // refuses negative numbers
  double AsDouble() const;
  const std::string& AsString() const;
  const Array& AsArray() const;
  Array& AsArray();
  const Object& AsObject() const;
  Object& AsObject();
  // How a double was spelled in its file; empty where that is not known, or for other kinds.
  std::string_view Spelling() const;

  // Member of an object, or nullptr (also where this is no object).
  const Json* Find(std::string_view key) const;
  Json* Find(std::string_view key);
  // Sets or appends a member. This must be an object.
  void Set(std::string_view key, Json value);
  // Removes a member; false where there is none.
  bool Erase(std::string_view key);
  // Appends to an array.
  void Append(Json value);

  bool operator==(const Json& other) const;  // member order matters not; 1 == 1.0 does not hold

 private:
  struct Real {
    double value = 0;
    std::string spelling;  // empty: the shortest that reads back the same
  };

  std::variant<std::monostate, bool, int64_t, uint64_t, Real, std::string, Array, Object> value_;
};

// Throws kInvalid with the byte offset of what is wrong. `file` is for the message. A NUL byte, a
// byte order mark, NaN, Infinity, comments and anything behind the value are refused.
Json ParseJson(std::string_view text, std::string_view file, const JsonLimits& limits = {});

// Events of a JSON text in document order, for files too large to hold as values. Return nothing;
// throw lbrx::Error to stop. Duplicate keys are NOT checked by the parser here: the handler does.
class JsonHandler {
 public:
  virtual ~JsonHandler() = default;
  virtual void Null() = 0;
  virtual void Bool(bool value) = 0;
  virtual void Integer(int64_t value) = 0;
  virtual void Unsigned(uint64_t value) = 0;
  virtual void Double(double value, std::string_view spelling) = 0;
  virtual void String(std::string& value) = 0;  // may be moved from
  virtual void Key(std::string& value) = 0;     // may be moved from
  virtual void StartObject() = 0;
  virtual void EndObject() = 0;
  virtual void StartArray() = 0;
  virtual void EndArray() = 0;

  // Bytes of the text read when the event came: it points just behind the token of the event (a
  // number's is known only one byte later).
  uint64_t position() const { return position_; }

  // For the parser.
  void set_position(uint64_t position) { position_ = position; }

 private:
  uint64_t position_ = 0;
};

void ParseJsonEvents(std::string_view text, std::string_view file, JsonHandler& handler,
                     const JsonLimits& limits = {});

struct JsonStyle {
  int indent = -1;  // -1: compact ({"a":1,"b":[2]}), else spaces a level, as Python's json.dumps
  bool sort_keys = false;  // by bytes, at every level
  bool ascii = false;      // non-ASCII as \uXXXX, as Python's ensure_ascii
};

// Doubles without a kept spelling are written in the shortest form that reads back the same, with
// ".0" where Python would have it. NaN and infinities are kInvalid: JSON has no such numbers.
std::string WriteJson(const Json& value, const JsonStyle& style = {});

// Appends `text` in quotes, escaped as Python's json.dumps (and serde_json, where !ascii) does.
void AppendJsonString(std::string_view text, bool ascii, std::string& out);

}  // namespace lbrx
