#include "structure/pieces.h"

namespace lbrx {
namespace {

constexpr size_t kLengthBytes = 8;
constexpr int kData = kFirstOwnKind;

Pieces Split(std::string_view input) {
  if (input.size() < kLengthBytes) {
    return {};
  }
  const uint64_t length = NumberAt(input, 0, kLengthBytes);
  const std::string_view rest = input.substr(kLengthBytes);
  if (length > rest.size()) {
    return {};
  }
  Pieces pieces;
  SplitText(rest.substr(0, length), pieces);
  pieces.push_back({kData, std::string(rest.substr(length))});
  return pieces;
}

std::string Join(const Pieces& pieces) {
  std::string header;
  std::string data;
  for (const Piece& piece : pieces) {
    (piece.kind == kData ? data : header) += piece.bytes;
  }
  std::string out;
  AppendNumber(out, header.size(), kLengthBytes);
  return out + header + data;
}

}  // namespace

const Structure kSafetensors = {Split, Join};

}  // namespace lbrx
