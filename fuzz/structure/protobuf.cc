#include <optional>

#include "structure/pieces.h"

namespace lbrx {
namespace {

// A message's field stands between kOpen, which has its tag, and kClose; other fields are one
// piece each, tag and value, but for kBytes, whose length is put between its tag and its content.
enum ProtobufKind : int { kOpen = kFirstOwnKind, kClose, kTag, kBytes, kNumber };

constexpr unsigned kWireBytes = 2;

void AppendVarint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) {
    out += static_cast<char>(value | 0x80);
  }
  out += static_cast<char>(value);
}

std::optional<uint64_t> TakeVarint(std::string_view& bytes) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes[0]);
    bytes.remove_prefix(1);
    value |= uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) {
      return value;
    }
  }
  return std::nullopt;
}

// Bytes behind the tag; nullopt for what is cut off or of an unknown type.
std::optional<size_t> ValueLength(unsigned wire, std::string_view bytes) {
  std::optional<size_t> length;
  if (wire == 0) {
    std::string_view rest = bytes;
    if (TakeVarint(rest)) {
      length = bytes.size() - rest.size();
    }
  } else if (wire == 1 || wire == 5) {
    length = wire == 1 ? 8 : 4;
  }
  return length && *length <= bytes.size() ? length : std::nullopt;
}

// Appends the fields of `bytes`; false where they are none.
bool SplitFields(std::string_view bytes, bool messages, Pieces& pieces) {
  while (!bytes.empty()) {
    const std::optional<uint64_t> tag = TakeVarint(bytes);
    if (!tag) {
      return false;
    }
    std::string tag_bytes;
    AppendVarint(tag_bytes, *tag);
    if ((*tag & 7) != kWireBytes) {
      const std::optional<size_t> length = ValueLength(*tag & 7, bytes);
      if (!length) {
        return false;
      }
      pieces.push_back({kNumber, tag_bytes + std::string(bytes.substr(0, *length))});
      bytes.remove_prefix(*length);
      continue;
    }
    const std::optional<uint64_t> length = TakeVarint(bytes);
    if (!length || *length > bytes.size()) {
      return false;
    }
    const std::string_view content = bytes.substr(0, *length);
    bytes.remove_prefix(*length);
    Pieces inner;
    if (messages && SplitFields(content, false, inner)) {
      pieces.push_back({kOpen, tag_bytes});
      pieces.insert(pieces.end(), inner.begin(), inner.end());
      pieces.push_back({kClose, ""});
    } else {
      pieces.push_back({kTag, tag_bytes});
      pieces.push_back({kBytes, std::string(content)});
    }
  }
  return true;
}

Pieces Split(std::string_view input) {
  Pieces pieces;
  return SplitFields(input, true, pieces) ? pieces : Pieces();
}

void AppendBytes(std::string& out, std::string_view bytes) {
  AppendVarint(out, bytes.size());
  out += bytes;
}

std::string Join(const Pieces& pieces) {
  std::string out;
  std::string message;
  bool open = false;
  const auto close = [&] {
    if (open) {
      AppendBytes(out, message);
    }
    message.clear();
    open = false;
  };
  for (const Piece& piece : pieces) {
    if (piece.kind == kOpen || piece.kind == kClose) {
      close();
      open = piece.kind == kOpen;
      out += piece.bytes;
    } else if (piece.kind == kBytes) {
      AppendBytes(open ? message : out, piece.bytes);
    } else {
      (open ? message : out) += piece.bytes;
    }
  }
  close();
  return out;
}

}  // namespace

const Structure kProtobuf = {Split, Join};

}  // namespace lbrx
