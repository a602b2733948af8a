#include <algorithm>

#include "structure/pieces.h"

namespace lbrx {
namespace {

enum TextKind : int { kWord, kDigits, kQuoted, kBlank, kMark, kBehind };

bool IsDigit(char c) {
  return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.';
}

bool IsWord(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}

bool IsBlank(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

// How many bytes from the first on are of the kind of the first.
template <typename IsKind>
size_t Run(std::string_view text, IsKind is_kind) {
  return static_cast<size_t>(std::find_if_not(text.begin(), text.end(), is_kind) - text.begin());
}

// With both quotes; a string that does not end goes to the end of the line.
size_t QuotedLength(std::string_view text) {
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == text[0]) {
      return i + 1;
    } else if (text[i] == '\n') {
      return i;
    }
  }
  return text.size();
}

Piece FirstPiece(std::string_view text) {
  const char first = text[0];
  if (first == '\0') {
    return {kBehind, std::string(text)};
  }
  if (first == '"' || first == '\'') {
    return {kQuoted, std::string(text.substr(0, QuotedLength(text)))};
  }
  if (IsDigit(first)) {
    return {kDigits, std::string(text.substr(0, Run(text, IsDigit)))};
  }
  if (IsWord(first)) {
    return {kWord, std::string(text.substr(0, Run(text, IsWord)))};
  }
  if (IsBlank(first)) {
    return {kBlank, std::string(text.substr(0, Run(text, IsBlank)))};
  }
  return {kMark, std::string(1, first)};
}

Pieces Split(std::string_view input) {
  Pieces pieces;
  SplitText(input, pieces);
  return pieces;
}

std::string Join(const Pieces& pieces) {
  std::string out;
  for (const Piece& piece : pieces) {
    out += piece.bytes;
  }
  return out;
}

}  // namespace

void SplitText(std::string_view text, Pieces& pieces) {
  while (!text.empty()) {
    pieces.push_back(FirstPiece(text));
    text.remove_prefix(pieces.back().bytes.size());
  }
}

bool IsText(const Piece& piece) {
  return piece.kind < kBehind;
}

const Structure kText = {Split, Join};

}  // namespace lbrx
