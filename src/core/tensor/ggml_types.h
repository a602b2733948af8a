// The tensor types of GGUF files: GGML's numbers, names and block sizes. Sources: ggml.h and
// ggml-common.h (GGML's own); docs/formats/gguf.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/tensor/encoding.h"

namespace lbrx {

struct GgmlType {
  uint32_t id;            // as in the file
  std::string_view name;  // "Q4_K", "BF16"
  Encoding encoding;      // kPlain, or one of GGUF's blocks with values of F32
  uint16_t block;         // elements
  uint16_t bytes;         // of a block
};

// All types that exist, by id. (4, 5, 31 to 33 and 36 to 38 were removed.)
std::span<const GgmlType> GgmlTypes();

// nullptr: there is none.
const GgmlType* FindGgmlType(uint32_t id);
const GgmlType* FindGgmlType(std::string_view name);  // any case
const GgmlType* FindGgmlType(DType dtype);            // of plain elements
// For IsBlock(scheme).
const GgmlType& FindGgmlType(Scheme scheme);

}  // namespace lbrx
