#include "cli/formatters/text.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/format.h"

namespace lbrx {
namespace {

struct Range {
  uint32_t first;
  uint32_t last;
};

// Blocks whose characters take two columns (Unicode's East Asian Width W and F, by block).
constexpr std::array<Range, 11> kWide = {{{0x1100, 0x115F},
                                          {0x2E80, 0x303E},
                                          {0x3041, 0xA4CF},
                                          {0xAC00, 0xD7A3},
                                          {0xF900, 0xFAFF},
                                          {0xFE30, 0xFE6F},
                                          {0xFF00, 0xFF60},
                                          {0xFFE0, 0xFFE6},
                                          {0x1F300, 0x1F64F},
                                          {0x1F900, 0x1F9FF},
                                          {0x20000, 0x3FFFD}}};
// Combining marks, zero-width space and joiners, variation selectors.
constexpr std::array<Range, 5> kZero = {
    {{0x0300, 0x036F}, {0x1AB0, 0x1AFF}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}}};

template <size_t N>
bool In(const std::array<Range, N>& ranges, uint32_t code) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const Range& r) { return code >= r.first && code <= r.last; });
}

// One character of valid UTF-8; a stray byte counts as one.
struct Character {
  size_t bytes;
  int columns;
};

Character Next(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  size_t bytes = 1;
  uint32_t code = lead;
  if (lead >= 0xF0) {
    bytes = 4;
    code = lead & 0x07U;
  } else if (lead >= 0xE0) {
    bytes = 3;
    code = lead & 0x0FU;
  } else if (lead >= 0xC0) {
    bytes = 2;
    code = lead & 0x1FU;
  }
  bytes = std::min(bytes, text.size());
  for (size_t i = 1; i < bytes; ++i) {
    code = code << 6U | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  if (In(kZero, code)) {
    return {bytes, 0};
  }
  return {bytes, In(kWide, code) ? 2 : 1};
}

// The longest beginning of `text` that takes at most `width` columns.
std::string_view Head(std::string_view text, int width) {
  size_t end = 0;
  while (end < text.size()) {
    const Character next = Next(text.substr(end));
    if (next.columns > width) {
      break;
    }
    width -= next.columns;
    end += next.bytes;
  }
  return text.substr(0, end);
}

// The longest end of `text` that takes at most `width` columns.
std::string_view Tail(std::string_view text, int width) {
  int drop = DisplayWidth(text) - width;
  while (drop > 0 && !text.empty()) {
    const Character next = Next(text);
    drop -= next.columns;
    text.remove_prefix(next.bytes);
  }
  return text;
}

void WrapParagraph(std::string_view text, int width, std::vector<std::string>& lines) {
  std::string line;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 1));
    if (word.empty()) {
      continue;
    }
    if (!line.empty() && DisplayWidth(line) + 1 + DisplayWidth(word) > width) {
      lines.push_back(std::move(line));
      line.clear();
    }
    while (line.empty() && DisplayWidth(word) > width) {
      std::string_view head = Head(word, width);
      if (head.empty()) {  // a wide character in one column
        head = word.substr(0, Next(word).bytes);
      }
      lines.emplace_back(head);
      word.remove_prefix(head.size());
    }
    if (!word.empty()) {
      line += (line.empty() ? "" : " ") + std::string(word);
    }
  }
  if (!line.empty()) {
    lines.push_back(std::move(line));
  }
}

}  // namespace

int DisplayWidth(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    const Character next = Next(text);
    width += next.columns;
    text.remove_prefix(next.bytes);
  }
  return width;
}

std::string Elide(std::string_view text, int width) {
  if (DisplayWidth(text) <= width) {
    return std::string(text);
  }
  constexpr int kDots = 3;
  if (width <= kDots) {
    return std::string(Head(text, std::max(width, 0)));
  }
  const int tail = (width - kDots) * 2 / 3;
  std::string out(Head(text, width - kDots - tail));
  out += "...";
  out += Tail(text, tail);
  return out;
}

std::vector<std::string> Wrap(std::string_view text, int width) {
  const int limit = width < 1 ? 1 << 30 : width;
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (end == 0) {
      lines.emplace_back();
    } else {
      WrapParagraph(text.substr(0, end), limit, lines);
    }
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return lines;
}

std::string PadRight(std::string_view text, int width) {
  const int missing = std::max(0, width - DisplayWidth(text));
  return std::string(text) + std::string(static_cast<size_t>(missing), ' ');
}

std::string PadLeft(std::string_view text, int width) {
  const int missing = std::max(0, width - DisplayWidth(text));
  return std::string(static_cast<size_t>(missing), ' ') + std::string(text);
}

std::string FormatDuration(double seconds) {
  constexpr double kMost = 359'999'999;  // 99,999 hours: beyond that nobody reads digits
  const auto whole = static_cast<uint64_t>(std::clamp(std::floor(seconds), 0.0, kMost));
  const uint64_t hours = whole / 3600;
  const uint64_t minutes = whole / 60 % 60;
  if (hours > 0) {
    return Format("{}:{:02}:{:02}", hours, minutes, whole % 60);
  }
  return Format("{}:{:02}", minutes, whole % 60);
}

std::string FormatCount(uint64_t value) {
  std::string digits = std::to_string(value);
  for (size_t i = digits.size(); i > 3; i -= 3) {
    digits.insert(i - 3, ",");
  }
  return digits;
}

}  // namespace lbrx
