#include <algorithm>
#include <optional>

#include "hostile/raw_zip.h"
#include "structure/pieces.h"

namespace lbrx {
namespace {

enum TorchKind : int {
  kOpcode = kFirstOwnKind,  // with an argument of fixed length, or none
  kPrefix,                  // an opcode whose argument, of a length told before it, follows
  kArgument,                // such an argument; also the lines of GLOBAL
  kMember,                  // name of a member of the archive; its data follows
  kContent,
  kRest,  // behind what are opcodes
};

constexpr std::string_view kLocalHeader = "PK\x03\x04";
constexpr size_t kLocalBytes = 30;
constexpr std::string_view kPickleName = "data.pkl";

// Bytes of an opcode's argument; of `prefix`, bytes of the length before it.
struct Argument {
  size_t bytes = 0;
  size_t prefix = 0;
};

Argument ArgumentOf(char opcode) {
  switch (static_cast<uint8_t>(opcode)) {
    case 0x80:
    case 'K':
    case 'h':
    case 'q':
      return {.bytes = 1};
    case 'M':
      return {.bytes = 2};
    case 'J':
    case 'j':
    case 'r':
      return {.bytes = 4};
    case 'G':
    case 0x95:
      return {.bytes = 8};
    case 0x8A:
    case 'U':
    case 'C':
    case 0x8C:
      return {.prefix = 1};
    case 0x8B:
    case 'T':
    case 'X':
    case 'B':
      return {.prefix = 4};
    case 0x8D:
    case 0x8E:
    case 0x96:
      return {.prefix = 8};
    default:
      return {};
  }
}

void AddPiece(int kind, size_t length, std::string_view& rest, Pieces& pieces) {
  pieces.push_back({kind, std::string(rest.substr(0, length))});
  rest.remove_prefix(pieces.back().bytes.size());
}

// Through all pickles of the bytes, up to what is none.
void SplitOpcodes(std::string_view rest, Pieces& pieces) {
  while (!rest.empty()) {
    const Argument argument = ArgumentOf(rest[0]);
    if (rest[0] == 'c') {
      AddPiece(kOpcode, 1, rest, pieces);
      AddPiece(kArgument, std::min(rest.find('\n'), rest.size() - 1) + 1, rest, pieces);
      AddPiece(kArgument, rest.empty() ? 0 : std::min(rest.find('\n'), rest.size() - 1) + 1, rest,
               pieces);
    } else if (argument.prefix > 0) {
      if (rest.size() < 1 + argument.prefix) {
        break;
      }
      const uint64_t length = NumberAt(rest, 1, argument.prefix);
      AddPiece(kPrefix, 1, rest, pieces);
      rest.remove_prefix(argument.prefix);
      AddPiece(kArgument, length, rest, pieces);
    } else {
      AddPiece(kOpcode, 1 + argument.bytes, rest, pieces);
    }
  }
  AddPiece(kRest, rest.size(), rest, pieces);
}

// Members one after another, as torch writes them; what is behind them follows from them.
Pieces SplitArchive(std::string_view rest) {
  Pieces pieces;
  while (rest.size() >= kLocalBytes && rest.starts_with(kLocalHeader)) {
    const uint64_t bytes = NumberAt(rest, 18, 4);
    const uint64_t name = NumberAt(rest, 26, 2);
    const uint64_t extra = NumberAt(rest, 28, 2);
    rest.remove_prefix(kLocalBytes);
    if (name + extra > rest.size() || bytes > rest.size() - name - extra) {
      return {};
    }
    AddPiece(kMember, name, rest, pieces);
    const bool pickle = pieces.back().bytes.ends_with(kPickleName);
    rest.remove_prefix(extra);
    const std::string_view data = rest.substr(0, bytes);
    rest.remove_prefix(bytes);
    if (pickle) {
      SplitOpcodes(data, pieces);
    } else {
      pieces.push_back({kContent, std::string(data)});
    }
  }
  return pieces;
}

Pieces Split(std::string_view input) {
  if (input.starts_with(kLocalHeader)) {
    return SplitArchive(input);
  }
  Pieces pieces;
  SplitOpcodes(input, pieces);
  return pieces;
}

std::string Join(const Pieces& pieces) {
  std::vector<RawZipMember> members;
  std::string plain;
  size_t prefix = 0;
  for (const Piece& piece : pieces) {
    if (piece.kind == kMember) {
      members.push_back({piece.bytes, ""});
      continue;
    }
    std::string& out = members.empty() ? plain : members.back().data;
    if (prefix > 0) {
      AppendNumber(out, piece.bytes.size(), prefix);
    }
    out += piece.bytes;
    prefix = piece.kind == kPrefix && !piece.bytes.empty() ? ArgumentOf(piece.bytes[0]).prefix : 0;
  }
  return members.empty() ? plain : RawZip(members);
}

}  // namespace

const Structure kTorch = {Split, Join};

}  // namespace lbrx
