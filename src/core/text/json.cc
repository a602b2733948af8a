// The parser: nlohmann's SAX parser (the only file that includes it), made strict.
#include "core/text/json.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {

namespace {

[[noreturn]] void ThrowJson(std::string_view file, std::string what, uint64_t offset,
                            std::string expected = {}, std::string found = {}) {
  ErrorDetail detail;
  detail.file = std::string(file);
  detail.what = std::move(what);
  detail.expected = std::move(expected);
  detail.found = std::move(found);
  detail.offset = offset;
  throw Error(ErrorCode::kInvalid, std::move(detail));
}

// Reads a text and tells how far it has come.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** reached) : at_(at), reached_(reached) {}

  reference operator*() const { return *at_; }

  CountingIterator& operator++() {
    *reached_ = ++at_;
    return *this;
  }

  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }

  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** reached_;
};

// "syntax error while parsing ..." out of nlohmann's
// "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while ...".
std::string ReasonOf(std::string_view message) {
  constexpr std::string_view kColumn = "column ";
  const size_t column = message.find(kColumn);
  const size_t colon = column == std::string_view::npos ? column : message.find(": ", column);
  if (colon != std::string_view::npos) {
    message.remove_prefix(colon + 2);
  } else if (const size_t bracket = message.find("] "); bracket != std::string_view::npos) {
    message.remove_prefix(bracket + 2);
  }
  return "invalid JSON, " + Printable(message, 300);
}

// Forwards nlohmann's events to a JsonHandler and watches the depth.
class SaxAdapter {
 public:
  SaxAdapter(std::string_view text, std::string_view file, JsonHandler& handler, uint32_t max_depth)
      : text_(text), file_(file), handler_(handler), max_depth_(max_depth), reached_(text.data()) {}

  const char** reached() { return &reached_; }

  bool null() {
    Mark();
    handler_.Null();
    return true;
  }

  bool boolean(bool value) {
    Mark();
    handler_.Bool(value);
    return true;
  }

  bool number_integer(int64_t value) {
    Mark();
    handler_.Integer(value);
    return true;
  }

  bool number_unsigned(uint64_t value) {
    Mark();
    handler_.Unsigned(value);
    return true;
  }

  bool number_float(double value, std::string spelling) {
    Mark();
    // nlohmann puts the decimal separator of the process's locale in the place of the point.
    const size_t separator = spelling.find_first_not_of("+-0123456789eE");
    if (separator != std::string::npos) {
      spelling[separator] = '.';
    }
    handler_.Double(value, spelling);
    return true;
  }

  bool string(std::string& value) {
    Mark();
    handler_.String(value);
    return true;
  }

  bool binary(std::vector<uint8_t>& /*value*/) { return false; }  // not in JSON

  bool key(std::string& value) {
    Mark();
    handler_.Key(value);
    return true;
  }

  bool start_object(size_t /*elements*/) {
    Enter();
    handler_.StartObject();
    return true;
  }

  bool end_object() {
    Leave();
    handler_.EndObject();
    return true;
  }

  bool start_array(size_t /*elements*/) {
    Enter();
    handler_.StartArray();
    return true;
  }

  bool end_array() {
    Leave();
    handler_.EndArray();
    return true;
  }

  bool parse_error(size_t position, const std::string& /*last_token*/,
                   const nlohmann::detail::exception& error) {
    // nlohmann counts the bytes read, the offending one (or the end) included.
    const uint64_t offset = std::min<uint64_t>(position == 0 ? 0 : position - 1, text_.size());
    ThrowJson(file_, ReasonOf(error.what()), offset);
  }

 private:
  void Mark() { handler_.set_position(static_cast<uint64_t>(reached_ - text_.data())); }

  void Enter() {
    Mark();
    if (++depth_ > max_depth_) {
      ThrowJson(file_, "JSON is nested too deep", handler_.position() - 1,
                Format("at most {} levels", max_depth_));
    }
  }

  void Leave() {
    Mark();
    --depth_;
  }

  std::string_view text_;
  std::string_view file_;
  JsonHandler& handler_;
  uint32_t max_depth_;
  uint32_t depth_ = 0;
  const char* reached_;
};

// Builds a Json value; refuses duplicate keys when an object ends.
class Builder final : public JsonHandler {
 public:
  explicit Builder(std::string_view file) : file_(file) {}

  void Null() override { Put(Json()); }

  void Bool(bool value) override { Put(Json(value)); }

  void Integer(int64_t value) override { Put(Json(value)); }

  void Unsigned(uint64_t value) override { Put(Json(value)); }

  void Double(double value, std::string_view spelling) override {
    Put(Json::Number(value, std::string(spelling)));
  }

  // Copies, because the lexer goes on using its buffer.
  void String(std::string& value) override { Put(Json(std::string_view(value))); }

  void Key(std::string& value) override {
    open_.back().value->AsObject().emplace_back(value, Json());
    key_ends_.push_back(position());
  }

  void StartObject() override { open_.push_back({Put(Json::MakeObject()), key_ends_.size()}); }

  void EndObject() override {
    const Open object = open_.back();
    RefuseDuplicates(object);
    key_ends_.resize(object.first_key);
    open_.pop_back();
  }

  void StartArray() override { open_.push_back({Put(Json::MakeArray()), key_ends_.size()}); }

  void EndArray() override { open_.pop_back(); }

  Json Take() { return std::move(root_); }

 private:
  struct Open {
    // Stays valid while open: a parent does not grow before its last child has ended.
    Json* value;
    size_t first_key;  // index into key_ends_ of an object's first key
  };

  Json* Put(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *open_.back().value;
    if (parent.is_array()) {
      parent.AsArray().push_back(std::move(value));
      return &parent.AsArray().back();
    }
    Json& member = parent.AsObject().back().second;
    member = std::move(value);
    return &member;
  }

  void RefuseDuplicates(const Open& open) const {
    const Json::Object& object = open.value->AsObject();
    if (object.size() < 2) {
      return;
    }
    std::vector<uint32_t> order(object.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      const int compared = object[a].first.compare(object[b].first);
      return compared != 0 ? compared < 0 : a < b;
    });
    const auto same = std::adjacent_find(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      return object[a].first == object[b].first;
    });
    if (same == order.end()) {
      return;
    }
    ErrorDetail detail;
    detail.file = std::string(file_);
    detail.object = object[*same].first;
    detail.what = Format("duplicate key, first ends at byte {}", key_ends_[open.first_key + *same]);
    detail.expected = "every key once";
    detail.offset = key_ends_[open.first_key + *(same + 1)];
    throw Error(ErrorCode::kInvalid, std::move(detail));
  }

  std::string_view file_;
  Json root_;
  std::vector<Open> open_;
  std::vector<uint64_t> key_ends_;  // of all open objects, innermost last
};

}  // namespace

void ParseJsonEvents(std::string_view text, std::string_view file, JsonHandler& handler,
                     const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    ThrowJson(file, "JSON text is too large", limits.max_bytes,
              Format("at most {} bytes", limits.max_bytes), std::to_string(text.size()));
  }
  if (text.substr(0, 3) == "\xEF\xBB\xBF") {
    ThrowJson(file, "invalid JSON, it starts with a byte order mark", 0);
  }
  // The lexer takes a NUL byte for the end of the text; JSON has none anywhere.
  if (const void* nul = text.empty() ? nullptr : std::memchr(text.data(), 0, text.size())) {
    ThrowJson(file, "invalid JSON, it holds a NUL byte",
              static_cast<uint64_t>(static_cast<const char*>(nul) - text.data()));
  }
  SaxAdapter adapter(text, file, handler, limits.max_depth);
  const CountingIterator first(text.data(), adapter.reached());
  const CountingIterator last(text.data() + text.size(), adapter.reached());
  nlohmann::json::sax_parse(first, last, &adapter);
}

Json ParseJson(std::string_view text, std::string_view file, const JsonLimits& limits) {
  Builder builder(file);
  ParseJsonEvents(text, file, builder, limits);
  return builder.Take();
}

}  // namespace lbrx
