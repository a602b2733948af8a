#include <array>
#include <optional>

#include "structure/pieces.h"

namespace lbrx {
namespace {

enum GgufKind : int {
  kVersion = kFirstOwnKind,
  kKey,       // its name; the value follows
  kScalar,    // type and value
  kString,    // value
  kElements,  // type of the elements; those of an array follow
  kNumbers,   // elements that are numbers
  kElement,   // an element that is text
  kTensor,    // its name; shape and place follow
  kShape,     // dimensions, eight bytes each
  kPlace,     // type and offset
  kData,
};

constexpr std::string_view kMagic = "GGUF";
constexpr size_t kAlignment = 32;
constexpr uint32_t kStringType = 8;
constexpr uint32_t kArrayType = 9;
constexpr std::array<size_t, 13> kWidths = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

// Takes a file apart. Every method is false where the file does not go on as it should.
class Splitter {
 public:
  Splitter(std::string_view input, Pieces& pieces) : input_(input), rest_(input), pieces_(pieces) {}

  bool Split() {
    std::string_view magic;
    uint64_t tensors = 0;
    uint64_t keys = 0;
    if (!Take(kMagic.size(), magic) || magic != kMagic || !Piece(kVersion, 4) ||
        !Number(8, tensors) || !Number(8, keys)) {
      return false;
    }
    for (; keys > 0; --keys) {
      if (!Text(kKey) || !Value()) {
        return false;
      }
    }
    for (; tensors > 0; --tensors) {
      if (!Tensor()) {
        return false;
      }
    }
    const size_t padding = (kAlignment - (input_.size() - rest_.size()) % kAlignment) % kAlignment;
    rest_.remove_prefix(std::min(padding, rest_.size()));
    return Piece(kData, rest_.size());
  }

 private:
  bool Take(uint64_t length, std::string_view& bytes) {
    if (length > rest_.size()) {
      return false;
    }
    bytes = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return true;
  }

  bool Piece(int kind, uint64_t length) {
    std::string_view bytes;
    if (!Take(length, bytes)) {
      return false;
    }
    pieces_.push_back({kind, std::string(bytes)});
    return true;
  }

  bool Number(size_t width, uint64_t& value) {
    std::string_view bytes;
    if (!Take(width, bytes)) {
      return false;
    }
    value = NumberAt(bytes, 0, width);
    return true;
  }

  bool Text(int kind) {
    uint64_t length = 0;
    return Number(8, length) && Piece(kind, length);
  }

  bool Value() {
    if (rest_.size() < 4) {
      return false;
    }
    const uint64_t type = NumberAt(rest_, 0, 4);
    if (type >= kWidths.size()) {
      return false;
    }
    if (type == kArrayType || type == kStringType) {
      rest_.remove_prefix(4);
      return type == kStringType ? Text(kString) : Array();
    }
    return Piece(kScalar, 4 + kWidths[type]);
  }

  bool Array() {
    uint64_t count = 0;
    if (!Piece(kElements, 4) || !Number(8, count) || count > rest_.size()) {
      return false;
    }
    const uint64_t type = NumberAt(pieces_.back().bytes, 0, 4);
    if (type != kStringType) {
      return type < kWidths.size() && Piece(kNumbers, count * kWidths[type]);
    }
    for (; count > 0; --count) {
      if (!Text(kElement)) {
        return false;
      }
    }
    return true;
  }

  bool Tensor() {
    uint64_t rank = 0;
    return Text(kTensor) && Number(4, rank) && Piece(kShape, rank * 8) && Piece(kPlace, 12);
  }

  std::string_view input_;
  std::string_view rest_;
  Pieces& pieces_;
};

Pieces Split(std::string_view input) {
  Pieces pieces;
  return Splitter(input, pieces).Split() ? pieces : Pieces();
}

void AppendText(std::string& out, std::string_view text) {
  AppendNumber(out, text.size(), 8);
  out += text;
}

// Elements behind pieces[at], which has their type.
uint64_t CountElements(const Pieces& pieces, size_t at) {
  const std::string& type = pieces[at].bytes;
  if (at + 1 < pieces.size() && pieces[at + 1].kind == kNumbers) {
    const uint64_t number = type.size() < 4 ? 0 : NumberAt(type, 0, 4);
    const size_t width = number < kWidths.size() && kWidths[number] > 0 ? kWidths[number] : 1;
    return pieces[at + 1].bytes.size() / width;
  }
  uint64_t count = 0;
  while (at + 1 + count < pieces.size() && pieces[at + 1 + count].kind == kElement) {
    ++count;
  }
  return count;
}

struct Parts {
  std::string version;
  std::string keys;
  std::string tensors;
  std::string data;
  uint64_t key_count = 0;
  uint64_t tensor_count = 0;
};

void Add(const Pieces& pieces, size_t at, Parts& parts) {
  const std::string& bytes = pieces[at].bytes;
  switch (pieces[at].kind) {
    case kVersion:
      parts.version = bytes;
      break;
    case kKey:
      ++parts.key_count;
      AppendText(parts.keys, bytes);
      break;
    case kString:
      AppendNumber(parts.keys, kStringType, 4);
      AppendText(parts.keys, bytes);
      break;
    case kElements:
      AppendNumber(parts.keys, kArrayType, 4);
      parts.keys += bytes;
      AppendNumber(parts.keys, CountElements(pieces, at), 8);
      break;
    case kElement:
      AppendText(parts.keys, bytes);
      break;
    case kTensor:
      ++parts.tensor_count;
      AppendText(parts.tensors, bytes);
      break;
    case kShape:
      AppendNumber(parts.tensors, bytes.size() / 8, 4);
      parts.tensors += bytes;
      break;
    case kPlace:
      parts.tensors += bytes;
      break;
    case kData:
      parts.data += bytes;
      break;
    default:  // kScalar, kNumbers
      parts.keys += bytes;
      break;
  }
}

std::string Join(const Pieces& pieces) {
  Parts parts;
  for (size_t i = 0; i < pieces.size(); ++i) {
    Add(pieces, i, parts);
  }
  std::string out(kMagic);
  out += parts.version;
  AppendNumber(out, parts.tensor_count, 8);
  AppendNumber(out, parts.key_count, 8);
  out += parts.keys + parts.tensors;
  if (parts.tensor_count > 0 || !parts.data.empty()) {
    out.resize((out.size() + kAlignment - 1) / kAlignment * kAlignment, '\0');
  }
  return out + parts.data;
}

}  // namespace

const Structure kGguf = {Split, Join};

}  // namespace lbrx
