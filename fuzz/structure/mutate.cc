#include <algorithm>
#include <array>
#include <cstring>
#include <random>

#include "structure/pieces.h"

// libFuzzer's mutations of plain bytes; replay.cc has a small one of its own.
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace lbrx {
namespace {

constexpr size_t kMostChanges = 4;
constexpr size_t kGrowth = 64;  // bytes that a piece may grow by at once

// What parsers stumble over, as text and as numbers of the width of the piece.
constexpr std::array<std::string_view, 16> kOddWords = {"0",
                                                        "-1",
                                                        "1e999",
                                                        "18446744073709551615",
                                                        "9223372036854775808",
                                                        "4294967295",
                                                        "0.5",
                                                        "",
                                                        "null",
                                                        "{}",
                                                        "[]",
                                                        "\"\"",
                                                        "true",
                                                        "\"..\"",
                                                        "\n",
                                                        "*"};
constexpr std::array<uint64_t, 10> kOddNumbers = {
    0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, ~uint64_t{0}, 32};

class Mutation {
 public:
  Mutation(Pieces& pieces, unsigned seed) : pieces_(pieces), random_(seed) {}

  void Change() {
    switch (Below(6)) {
      case 0:
        return Remove();
      case 1:
        return Repeat();
      case 2:
        return std::swap(pieces_[Any()], pieces_[Any()]);
      case 3:
        return Borrow();
      case 4:
        return SetOdd();
      default:
        return ChangeBytes();
    }
  }

  size_t Below(size_t limit) { return random_() % limit; }

 private:
  size_t Any() { return Below(pieces_.size()); }

  // Most runs are short.
  size_t RunFrom(size_t first) {
    return 1 + Below(std::min(pieces_.size() - first, size_t{1} << Below(6)));
  }

  void Remove() {
    const size_t first = Any();
    const auto begin = pieces_.begin() + static_cast<ptrdiff_t>(first);
    const size_t count = RunFrom(first);
    if (count < pieces_.size()) {
      pieces_.erase(begin, begin + static_cast<ptrdiff_t>(count));
    }
  }

  void Repeat() {
    const size_t first = Any();
    const auto begin = pieces_.begin() + static_cast<ptrdiff_t>(first);
    const Pieces copy(begin, begin + static_cast<ptrdiff_t>(RunFrom(first)));
    // Behind itself or anywhere.
    const size_t to = Below(2) == 0 ? first + copy.size() : Any();
    pieces_.insert(pieces_.begin() + static_cast<ptrdiff_t>(to), copy.begin(), copy.end());
  }

  // The bytes of another piece of the kind.
  void Borrow() {
    Piece& piece = pieces_[Any()];
    for (size_t i = 0; i < 8; ++i) {
      const Piece& other = pieces_[Any()];
      if (other.kind == piece.kind && other.bytes != piece.bytes) {
        piece.bytes = std::string(other.bytes);
        return;
      }
    }
  }

  void SetOdd() {
    Piece& piece = pieces_[Any()];
    if (IsText(piece)) {
      piece.bytes = kOddWords[Below(kOddWords.size())];
      return;
    }
    const size_t width = std::min(piece.bytes.size(), size_t{1} << Below(4));
    const size_t at = Below(piece.bytes.size() - width + 1);
    const uint64_t number = kOddNumbers[Below(kOddNumbers.size())];
    std::memcpy(piece.bytes.data() + at, &number, width);
  }

  void ChangeBytes() {
    std::string& bytes = pieces_[Any()].bytes;
    const size_t size = bytes.size();
    bytes.resize(size + kGrowth);
    bytes.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(bytes.data()), size, bytes.size()));
  }

  Pieces& pieces_;
  std::minstd_rand random_;
};

}  // namespace

size_t MutatePieces(const Structure& structure, uint8_t* data, size_t size, size_t max_size,
                    unsigned seed) {
  Pieces pieces = structure.split({reinterpret_cast<const char*>(data), size});
  Mutation mutation(pieces, seed);
  // Now and then bytes are changed without regard to the structure.
  if (pieces.empty() || mutation.Below(8) == 0) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  for (size_t left = 1 + mutation.Below(kMostChanges); left > 0; --left) {
    mutation.Change();
  }
  const std::string out = structure.join(pieces);
  const size_t length = std::min(out.size(), max_size);
  std::copy_n(out.begin(), length, data);
  return length;
}

void AppendNumber(std::string& out, uint64_t value, size_t width) {
  for (size_t i = 0; i < width; ++i) {
    out += static_cast<char>(value >> (8 * i));
  }
}

uint64_t NumberAt(std::string_view bytes, size_t at, size_t width) {
  uint64_t value = 0;
  std::memcpy(&value, bytes.data() + at, width);
  return value;
}

}  // namespace lbrx
