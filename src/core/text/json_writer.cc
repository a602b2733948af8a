#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/text/json.h"

namespace lbrx {

namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

void AppendUnit(uint32_t unit, std::string& out) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) {
    out += kHexDigits[(unit >> shift) & 0xF];
  }
}

void AppendCodePoint(uint32_t code_point, std::string& out) {
  if (code_point < 0x10000) {
    AppendUnit(code_point, out);
    return;
  }
  AppendUnit(0xD800 + ((code_point - 0x10000) >> 10), out);
  AppendUnit(0xDC00 + ((code_point - 0x10000) & 0x3FF), out);
}

// Appends the character that starts at text[i] as \uXXXX; returns its length in bytes. Bytes that
// are not UTF-8 become U+FFFD.
size_t AppendEscaped(std::string_view text, size_t i, std::string& out) {
  const auto lead = static_cast<uint8_t>(text[i]);
  size_t length = 1;
  if (lead >= 0xC0) {
    length = lead < 0xE0 ? 2 : (lead < 0xF0 ? 3 : 4);
  }
  if (lead < 0x80) {
    AppendUnit(lead, out);
    return 1;
  }
  if (length == 1 || i + length > text.size()) {
    AppendUnit(0xFFFD, out);
    return 1;
  }
  uint32_t code_point = lead & (0xFFU >> (length + 1));
  for (size_t k = 1; k < length; ++k) {
    const auto byte = static_cast<uint8_t>(text[i + k]);
    if ((byte & 0xC0) != 0x80) {
      AppendUnit(0xFFFD, out);
      return 1;
    }
    code_point = (code_point << 6) | (byte & 0x3F);
  }
  AppendCodePoint(code_point > 0x10FFFF ? 0xFFFD : code_point, out);
  return length;
}

// The letter of a two-character escape, or 0.
char ShortEscape(char c) {
  switch (c) {
    case '"':
    case '\\':
      return c;
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

// Python's repr of a finite double: the shortest digits that read back the same, fixed where the
// decimal exponent is in [-4, 16).
void AppendDouble(double value, std::string& out) {
  if (!std::isfinite(value)) {
    throw Error(ErrorCode::kInvalid, "NaN or infinity cannot be written as JSON");
  }
  std::array<char, 40> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::scientific);
  std::string_view text(buffer.data(), static_cast<size_t>(end.ptr - buffer.data()));
  if (text.front() == '-') {
    out += '-';
    text.remove_prefix(1);
  }
  const size_t e = text.find('e');
  int exponent = 0;
  const char* digits_of_exponent = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(digits_of_exponent, text.data() + text.size(), exponent);
  if (exponent < -4 || exponent >= 16) {
    out += text;  // to_chars and Python agree: at least two digits of exponent, with sign
    return;
  }
  std::string digits(1, text[0]);
  if (e > 2) {
    digits += text.substr(2, e - 2);
  }
  if (exponent < 0) {
    out += "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
    return;
  }
  const size_t whole = static_cast<size_t>(exponent) + 1;
  if (digits.size() < whole) {
    digits.resize(whole, '0');
  }
  out += digits.substr(0, whole) + "." + (digits.size() > whole ? digits.substr(whole) : "0");
}

class Writer {
 public:
  explicit Writer(const JsonStyle& style) : style_(style) {}

  void Write(const Json& value) {
    switch (value.kind()) {
      case Json::Kind::kNull:
        out_ += "null";
        break;
      case Json::Kind::kBool:
        out_ += value.AsBool() ? "true" : "false";
        break;
      case Json::Kind::kInteger:
        out_ += std::to_string(value.AsInt64());
        break;
      case Json::Kind::kUnsigned:
        out_ += std::to_string(value.AsUint64());
        break;
      case Json::Kind::kDouble:
        WriteDouble(value);
        break;
      case Json::Kind::kString:
        AppendJsonString(value.AsString(), style_.ascii, out_);
        break;
      case Json::Kind::kArray:
        WriteArray(value.AsArray());
        break;
      case Json::Kind::kObject:
        WriteObject(value.AsObject());
        break;
    }
  }

  std::string Take() { return std::move(out_); }

 private:
  void WriteDouble(const Json& value) {
    if (value.Spelling().empty()) {
      AppendDouble(value.AsDouble(), out_);
    } else {
      out_ += value.Spelling();
    }
  }

  void WriteArray(const Json::Array& array) {
    out_ += '[';
    ++depth_;
    for (size_t i = 0; i < array.size(); ++i) {
      StartItem(i);
      Write(array[i]);
    }
    --depth_;
    Close(array.empty(), ']');
  }

  void WriteObject(const Json::Object& object) {
    out_ += '{';
    ++depth_;
    if (style_.sort_keys) {
      std::vector<const Json::Member*> order;
      order.reserve(object.size());
      for (const Json::Member& member : object) {
        order.push_back(&member);
      }
      std::stable_sort(order.begin(), order.end(),
                       [](const auto* a, const auto* b) { return a->first < b->first; });
      for (size_t i = 0; i < order.size(); ++i) {
        WriteMember(i, *order[i]);
      }
    } else {
      for (size_t i = 0; i < object.size(); ++i) {
        WriteMember(i, object[i]);
      }
    }
    --depth_;
    Close(object.empty(), '}');
  }

  void WriteMember(size_t index, const Json::Member& member) {
    StartItem(index);
    AppendJsonString(member.first, style_.ascii, out_);
    out_ += style_.indent < 0 ? ":" : ": ";
    Write(member.second);
  }

  void StartItem(size_t index) {
    if (index > 0) {
      out_ += ',';
    }
    NewLine();
  }

  void Close(bool empty, char bracket) {
    if (!empty) {
      NewLine();
    }
    out_ += bracket;
  }

  void NewLine() {
    if (style_.indent >= 0) {
      out_ += '\n';
      out_.append(depth_ * static_cast<size_t>(style_.indent), ' ');
    }
  }

  const JsonStyle& style_;
  std::string out_;
  size_t depth_ = 0;
};

}  // namespace

void AppendJsonString(std::string_view text, bool ascii, std::string& out) {
  out += '"';
  size_t plain = 0;  // start of the run that needs no escape
  size_t i = 0;
  while (i < text.size()) {
    const auto byte = static_cast<uint8_t>(text[i]);
    const bool escape = byte < 0x20 || byte == '"' || byte == '\\' || (ascii && byte >= 0x7F);
    if (!escape) {
      ++i;
      continue;
    }
    out += text.substr(plain, i - plain);
    if (const char letter = ShortEscape(text[i])) {
      out += '\\';
      out += letter;
      ++i;
    } else {
      i += AppendEscaped(text, i, out);
    }
    plain = i;
  }
  out += text.substr(plain);
  out += '"';
}

std::string WriteJson(const Json& value, const JsonStyle& style) {
  Writer writer(style);
  writer.Write(value);
  return writer.Take();
}

}  // namespace lbrx
