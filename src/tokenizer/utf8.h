// UTF-8 in tokens, which come from files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lbrx {

// U+2581, as which SentencePiece writes a space.
constexpr std::string_view kSpaceMark = "\xE2\x96\x81";

// Bytes of the well-formed sequence at the start of `text`, which is not empty; 0 where there is
// none. Table 3-7 of the Unicode Standard.
inline size_t Utf8Length(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  const size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (length == 0 || lead > 0xF4 || text.size() < length) {
    return 0;
  }
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<uint8_t>(text[i]) & 0xC0) != 0x80) {
      return 0;
    }
  }
  const auto second = length > 1 ? static_cast<uint8_t>(text[1]) : uint8_t{0};
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool beyond = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
  return overlong || beyond ? 0 : length;
}

inline bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

// Of well-formed text.
inline size_t CountCharacters(std::string_view text) {
  size_t count = 0;
  for (const char c : text) {
    count += (static_cast<uint8_t>(c) & 0xC0) != 0x80 ? 1 : 0;
  }
  return count;
}

}  // namespace lbrx
