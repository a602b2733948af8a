#include "core/text/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "core/base/plain_text.h"

namespace lbrx {
namespace {

constexpr std::string_view kDigits = "0123456789";

// Takes a text apart from the left.
class Scanner {
 public:
  explicit Scanner(std::string_view rest) : rest_(rest) {}

  bool done() const { return rest_.empty(); }

  // One character of `set`.
  bool One(std::string_view set) {
    if (rest_.empty() || set.find(rest_.front()) == std::string_view::npos) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  // As many characters of `set` as there are; how many that was.
  size_t Run(std::string_view set) {
    const size_t count = std::min(rest_.find_first_not_of(set), rest_.size());
    rest_.remove_prefix(count);
    return count;
  }

  bool Exactly(size_t count, std::string_view set) { return Run(set) == count; }

  bool OneOrTwoDigits() { return One(kDigits) && (One(kDigits) || true); }

  bool Word(std::string_view word) {
    if (!rest_.starts_with(word)) {
      return false;
    }
    rest_.remove_prefix(word.size());
    return true;
  }

 private:
  std::string_view rest_;
};

template <size_t kCount>
bool IsOneOf(std::string_view text, const std::array<std::string_view, kCount>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool IsTrue(std::string_view text) {
  return IsOneOf(text, std::to_array<std::string_view>(
                           {"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"}));
}

bool IsFalse(std::string_view text) {
  return IsOneOf(text, std::to_array<std::string_view>(
                           {"no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"}));
}

bool IsNull(std::string_view text) {
  return IsOneOf(text, std::to_array<std::string_view>({"", "~", "null", "Null", "NULL"}));
}

// (:[0-5]?[0-9])+ : the minutes and seconds of base 60.
bool Sixties(Scanner& text) {
  bool any = false;
  while (text.One(":")) {
    const bool tens = text.One("012345");
    if (!text.One(kDigits) && !tens) {
      return false;
    }
    any = true;
  }
  return any;
}

bool IsInteger(std::string_view text) {
  Scanner scan(text);
  scan.One("+-");
  if (scan.Word("0b")) {
    scan.Run("_");
    return scan.Run("01_") > 0 && scan.done();
  }
  if (scan.Word("0x")) {
    scan.Run("_");
    return scan.Run("0123456789abcdefABCDEF_") > 0 && scan.done();
  }
  if (scan.One("0")) {
    scan.Run("01234567_");
    return scan.done();
  }
  if (scan.Run(kDigits) == 0) {
    return false;
  }
  scan.Run("0123456789_");
  return scan.done() || (Sixties(scan) && scan.done());
}

// ([eE][-+][0-9]+)? and the end.
bool ExponentAndEnd(Scanner& scan) {
  if (scan.done()) {
    return true;
  }
  return scan.One("eE") && scan.One("+-") && scan.Run(kDigits) > 0 && scan.done();
}

bool IsFloat(std::string_view text) {
  if (IsOneOf(text, std::to_array<std::string_view>({".nan", ".NaN", ".NAN"}))) {
    return true;
  }
  Scanner scan(text);
  if (scan.One(".") && scan.One(kDigits)) {  // without a sign
    scan.Run("0123456789_");
    return ExponentAndEnd(scan);
  }
  scan = Scanner(text);
  scan.One("+-");
  if (scan.Word(".inf") || scan.Word(".Inf") || scan.Word(".INF")) {
    return scan.done();
  }
  if (!scan.One(kDigits)) {
    return false;
  }
  scan.Run("0123456789_");
  if (scan.One(".")) {
    scan.Run("0123456789_");
    return ExponentAndEnd(scan);
  }
  if (!Sixties(scan) || !scan.One(".")) {
    return false;
  }
  scan.Run("0123456789_");
  return scan.done();
}

// [ \t]*(Z|[-+]dd?(:dd)?)?
bool TimeZoneAndEnd(Scanner& scan) {
  const bool blanks = scan.Run(" \t") > 0;
  if (scan.done()) {
    return !blanks;
  }
  if (scan.One("Z")) {
    return scan.done();
  }
  if (!scan.One("+-") || !scan.OneOrTwoDigits()) {
    return false;
  }
  return scan.done() || (scan.One(":") && scan.Exactly(2, kDigits) && scan.done());
}

bool IsDate(std::string_view text) {
  Scanner day(text);
  if (day.Exactly(4, kDigits) && day.One("-") && day.Exactly(2, kDigits) && day.One("-") &&
      day.Exactly(2, kDigits) && day.done()) {
    return true;
  }
  Scanner scan(text);
  if (!scan.Exactly(4, kDigits) || !scan.One("-") || !scan.OneOrTwoDigits() || !scan.One("-") ||
      !scan.OneOrTwoDigits()) {
    return false;
  }
  if (!scan.One("Tt") && scan.Run(" \t") == 0) {
    return false;
  }
  if (!scan.OneOrTwoDigits() || !scan.One(":") || !scan.Exactly(2, kDigits) || !scan.One(":") ||
      !scan.Exactly(2, kDigits)) {
    return false;
  }
  if (scan.One(".")) {
    scan.Run(kDigits);
  }
  return TimeZoneAndEnd(scan);
}

// A number in parts: its sign, and the rest without underscores.
struct Magnitude {
  double sign;
  std::string digits;
};

Magnitude Split(std::string_view text) {
  Magnitude out{1.0, {}};
  if (text.starts_with('-') || text.starts_with('+')) {
    out.sign = text.front() == '-' ? -1.0 : 1.0;
    text.remove_prefix(1);
  }
  std::copy_if(text.begin(), text.end(), std::back_inserter(out.digits),
               [](char c) { return c != '_'; });
  return out;
}

double Decimal(const std::string& digits) {
  return ParseDouble(digits.c_str(), nullptr);
}

// "1:30" is 1 * 60 + 30; the last part may have a fraction.
double Sexagesimal(std::string_view text) {
  double value = 0;
  double base = 1;
  while (true) {
    const size_t colon = text.rfind(':');
    const size_t begin = colon == std::string_view::npos ? 0 : colon + 1;
    value += base * Decimal(std::string(text.substr(begin)));
    if (colon == std::string_view::npos) {
      return value;
    }
    base *= 60;
    text = text.substr(0, colon);
  }
}

// Binary and octal digits; exact below 2^53.
double PowerOfTwoBase(std::string_view digits, int base) {
  double value = 0;
  for (const char digit : digits) {
    value = value * base + (digit - '0');
  }
  return value;
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\r\f\v";
  const size_t first = text.find_first_not_of(kBlanks);
  return first == std::string_view::npos
             ? std::string_view()
             : text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Digits with single underscores between them.
bool DigitRun(Scanner& scan) {
  if (scan.Run(kDigits) == 0) {
    return false;
  }
  while (scan.One("_")) {
    if (scan.Run(kDigits) == 0) {
      return false;
    }
  }
  return true;
}

bool IsDecimal(std::string_view text) {
  Scanner scan(text);
  scan.One("+-");
  const bool whole = DigitRun(scan);
  const bool fraction = scan.One(".") && DigitRun(scan);
  if (!whole && !fraction) {
    return false;
  }
  if (scan.One("eE")) {
    scan.One("+-");
    if (!DigitRun(scan)) {
      return false;
    }
  }
  return scan.done();
}

}  // namespace

YamlKind ResolvePlainScalar(std::string_view text) {
  if (IsNull(text)) {
    return YamlKind::kNull;
  }
  const char first = text.front();
  if (IsAsciiLetter(first)) {
    return IsTrue(text) || IsFalse(text) ? YamlKind::kBool : YamlKind::kString;
  }
  if (std::string_view("+-.0123456789").find(first) == std::string_view::npos) {
    return YamlKind::kString;
  }
  if (IsFloat(text)) {
    return YamlKind::kFloat;
  }
  if (IsInteger(text)) {
    return YamlKind::kInteger;
  }
  return IsDate(text) ? YamlKind::kDate : YamlKind::kString;
}

bool YamlBool(std::string_view text) {
  return IsTrue(text);
}

double YamlInteger(std::string_view text) {
  const auto [sign, digits] = Split(text);
  if (digits.find(':') != std::string::npos) {
    return sign * Sexagesimal(digits);
  }
  if (digits.starts_with("0b")) {
    return sign * PowerOfTwoBase(std::string_view(digits).substr(2), 2);
  }
  if (digits.starts_with("0x")) {
    return sign * Decimal(digits);  // ParseDouble knows hexadecimal digits
  }
  return sign * (digits.starts_with('0') ? PowerOfTwoBase(digits, 8) : Decimal(digits));
}

double YamlFloat(std::string_view text) {
  const auto [sign, digits] = Split(text);
  if (digits == ".inf" || digits == ".Inf" || digits == ".INF") {
    return sign * std::numeric_limits<double>::infinity();
  }
  if (digits == ".nan" || digits == ".NaN" || digits == ".NAN") {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return sign * (digits.find(':') != std::string::npos ? Sexagesimal(digits) : Decimal(digits));
}

std::optional<double> ParseDecimal(std::string_view text) {
  text = Trim(text);
  if (IsDecimal(text)) {
    const auto [sign, digits] = Split(text);
    return sign * Decimal(digits);
  }
  const auto [sign, word] = Split(text);
  const std::string lower = AsciiLower(word);
  if (lower == "inf" || lower == "infinity") {
    return sign * std::numeric_limits<double>::infinity();
  }
  if (lower == "nan") {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return std::nullopt;
}

}  // namespace lbrx
