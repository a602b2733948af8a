#include "tokenizer/byte_alphabet.h"

#include <array>
#include <cstdint>
#include <optional>

#include "tokenizer/utf8.h"

namespace lbrx {
namespace {

// Bytes that stand for themselves, as Latin-1.
constexpr bool IsOwnCharacter(uint32_t byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) ||
         (byte >= 0xAE && byte <= 0xFF);
}

// The other bytes are U+0100 onwards, in order.
constexpr std::array<uint8_t, 256> OtherBytes() {
  std::array<uint8_t, 256> out{};
  uint32_t count = 0;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    if (!IsOwnCharacter(byte)) {
      out[count++] = static_cast<uint8_t>(byte);
    }
  }
  return out;
}

constexpr std::array<uint8_t, 256> kOtherBytes = OtherBytes();
constexpr uint32_t kOthers = 68;

std::optional<char> ByteOf(uint32_t character) {
  if (character < 256 && IsOwnCharacter(character)) {
    return static_cast<char>(character);
  }
  if (character >= 256 && character < 256 + kOthers) {
    return static_cast<char>(kOtherBytes[character - 256]);
  }
  return std::nullopt;
}

std::string MadeValid(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const size_t length = Utf8Length(bytes);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      bytes.remove_prefix(1);
    } else {
      out += bytes.substr(0, length);
      bytes.remove_prefix(length);
    }
  }
  return out;
}

}  // namespace

std::string FromByteAlphabet(std::string_view token) {
  std::string bytes;
  for (size_t at = 0; at < token.size();) {
    const auto lead = static_cast<uint8_t>(token[at]);
    uint32_t character = lead;
    size_t length = 1;
    if (lead >= 0xC2 && lead < 0xE0 && at + 1 < token.size()) {
      character = (lead & 0x1FU) << 6 | (static_cast<uint8_t>(token[at + 1]) & 0x3FU);
      length = 2;
    } else if (lead >= 0x80) {
      return std::string(token);  // longer sequences stand for no byte
    }
    const std::optional<char> byte = ByteOf(character);
    if (!byte.has_value()) {
      return std::string(token);
    }
    bytes += *byte;
    at += length;
  }
  return MadeValid(bytes);
}

}  // namespace lbrx
