// Reads the header of a safetensors file though it is damaged: what still parses entry by entry,
// and of an entry that does not, the fields that can still be made out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor/dtype.h"
#include "core/tensor/shape.h"

namespace lbrx {

// What an entry says; a field that cannot be made out is empty.
struct LooseEntry {
  std::string name;  // may hold a damaged byte where !strict
  std::optional<DType> dtype;
  std::string dtype_text;  // as it stands there
  std::optional<Shape> shape;
  std::optional<uint64_t> begin;  // relative to the data part
  std::optional<uint64_t> end;
  bool strict = false;  // is good JSON with all three fields

  // dtype x shape in bytes; nullopt where unknown or no whole number of 64 bits.
  std::optional<uint64_t> Bytes() const;
  // Everything is there and agrees.
  bool Sound() const;
};

struct LooseHeader {
  std::vector<LooseEntry> entries;  // in the order of the header
  std::map<std::string, std::string> metadata;
  bool damaged = false;  // something did not parse
  bool closed = false;   // the outer object ends
  uint64_t end = 0;      // one past what was understood, in the text
};

// `text` begins where the JSON should (byte 8 of the file) and may go on behind it. Takes time
// linear in the text.
LooseHeader ScanHeader(std::string_view text);

// The bytes of `dtype` x `shape`.
std::optional<uint64_t> BytesOfKind(DType dtype, const Shape& shape);

}  // namespace lbrx
