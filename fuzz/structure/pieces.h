// Inputs as mutators see them: pieces that can be changed, left out, repeated and exchanged one by
// one. Putting pieces together gives lengths, counts and checksums that are right again, so that
// what a mutation is about gets past the checks of the container.
//
// A target chooses its structure at its end (target.h). libFuzzer then mutates through it;
// fuzz_replay does the same a few times for every file of the corpus.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lbrx {

struct Piece {
  int kind;  // the structure's own; pieces of one kind may stand for each other
  std::string bytes;
};

using Pieces = std::vector<Piece>;

struct Structure {
  // Empty: the input is not of this form.
  Pieces (*split)(std::string_view input);
  // Takes any pieces in any order.
  std::string (*join)(const Pieces& pieces);
};

// Words, numbers, strings, blanks and marks of JSON, YAML and the like. Takes any input; what is
// behind the first NUL byte is one piece.
extern const Structure kText;
// Tokens of the header; the data.
extern const Structure kSafetensors;
// Names and values of keys, elements of arrays, names, shapes and places of tensors; the data.
extern const Structure kGguf;
// Opcodes of the pickle, and the other members of a ZIP archive; of other inputs all opcodes.
extern const Structure kTorch;
// Fields of a protocol buffer, those of messages one level below too.
extern const Structure kProtobuf;
// Tokens of the header, and records.
extern const Structure kJournal;

// LLVMFuzzerCustomMutator with a structure: changes data[0, size) in place and returns its new
// size, at most `max_size`.
size_t MutatePieces(const Structure& structure, uint8_t* data, size_t size, size_t max_size,
                    unsigned seed);

// For structures: text as the pieces of kText.
void SplitText(std::string_view text, Pieces& pieces);
// Whether a piece is one of those.
bool IsText(const Piece& piece);

// Kinds below are kText's.
inline constexpr int kFirstOwnKind = 16;

// Little-endian numbers of `width` bytes.
void AppendNumber(std::string& out, uint64_t value, size_t width);
uint64_t NumberAt(std::string_view bytes, size_t at, size_t width);

}  // namespace lbrx

#define FUZZ_STRUCTURE(structure)                                                        \
  extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, \
                                            unsigned seed) {                             \
    return lbrx::MutatePieces(lbrx::structure, data, size, max_size, seed);              \
  }                                                                                      \
  static_assert(true)
