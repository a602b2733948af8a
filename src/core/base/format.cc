// The one file that compiles fmt.
#define FMT_HEADER_ONLY
#include "core/base/format.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "core/base/checked.h"
#include "core/base/error.h"

namespace lbrx {

namespace {

struct Unit {
  std::string_view name;  // lower case
  uint64_t bytes;
};

constexpr std::array<Unit, 16> kUnits = {{
    {"", 1},
    {"b", 1},
    {"k", 1000},
    {"kb", 1000},
    {"kib", uint64_t{1} << 10},
    {"m", 1000000},
    {"mb", 1000000},
    {"mib", uint64_t{1} << 20},
    {"g", 1000000000},
    {"gb", 1000000000},
    {"gib", uint64_t{1} << 30},
    {"t", 1000000000000},
    {"tb", 1000000000000},
    {"tib", uint64_t{1} << 40},
    {"pb", 1000000000000000},
    {"pib", uint64_t{1} << 50},
}};

[[noreturn]] void ThrowBadSize(std::string_view text, const std::string& what) {
  ErrorDetail detail;
  detail.object = std::string(text);
  detail.what = what;
  detail.expected = "a number with or without a unit, as in 5GB, 512MiB or 4096";
  throw Error(ErrorCode::kUsage, std::move(detail));
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

size_t CountDigits(std::string_view text) {
  size_t count = 0;
  while (count < text.size() && IsDigit(text[count])) {
    ++count;
  }
  return count;
}

// `digits` is not empty and holds digits only.
uint64_t ParseDigits(std::string_view digits, std::string_view text) {
  uint64_t value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (result.ec != std::errc()) {
    ThrowBadSize(text, "the size is too large");
  }
  return value;
}

uint64_t UnitBytes(std::string_view name, std::string_view text) {
  std::string lower;
  for (const char c : name) {
    lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  for (const Unit& unit : kUnits) {
    if (unit.name == lower) {
      return unit.bytes;
    }
  }
  ThrowBadSize(text, "not a size");
}

// Digits after the point (at most kMostFractionDigits), times the unit, rounded down.
constexpr size_t kMostFractionDigits = 4;

uint64_t FractionBytes(std::string_view digits, uint64_t unit) {
  uint64_t value = 0;
  uint64_t scale = 1;
  for (const char c : digits) {
    value = value * 10 + static_cast<uint64_t>(c - '0');
    scale *= 10;
  }
  return value * unit / scale;  // below 10^4 * 2^50, which fits
}

}  // namespace

std::string VFormat(fmt::string_view format, fmt::format_args args) {
  return fmt::vformat(format, args);
}

std::string FormatBytes(uint64_t bytes) {
  constexpr std::array<const char*, 7> kNames = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  // 999.5 is where three digits would round up to 1000.
  while (value >= 999.5 && unit + 1 < kNames.size()) {
    value /= 1000;
    ++unit;
  }
  return Format("{:.3g} {}", value, kNames[unit]);
}

uint64_t ParseBytes(std::string_view text) {
  const size_t whole_digits = CountDigits(text);
  if (whole_digits == 0) {
    ThrowBadSize(text, "not a size");
  }
  const uint64_t whole = ParseDigits(text.substr(0, whole_digits), text);
  std::string_view rest = text.substr(whole_digits);
  std::string_view fraction;
  if (!rest.empty() && rest[0] == '.') {
    fraction = rest.substr(1, CountDigits(rest.substr(1)));
    rest.remove_prefix(1 + fraction.size());
    if (fraction.empty() || fraction.size() > kMostFractionDigits) {
      ThrowBadSize(text, "not a size");
    }
  }
  if (rest.size() > 1 && rest[0] == ' ') {
    rest.remove_prefix(1);
  }
  const uint64_t unit = UnitBytes(rest, text);
  const std::optional<uint64_t> bytes = CheckedMul(whole, unit);
  const std::optional<uint64_t> sum =
      bytes ? CheckedAdd(*bytes, FractionBytes(fraction, unit)) : std::nullopt;
  if (!sum) {
    ThrowBadSize(text, "the size is too large");
  }
  return *sum;
}

}  // namespace lbrx
