// The header of a GGUF file as it stands there, before anything is concluded from it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor/ggml_types.h"
#include "formats/checkpoint.h"
#include "formats/gguf/keys.h"
#include "formats/problems.h"

namespace lbrx {

struct GgufEntry {
  std::string name;
  uint64_t at = 0;         // of the entry in the file
  uint64_t offset_at = 0;  // of its offset field
  Shape dims;              // ne: the row's length first
  uint32_t type = 0;
  uint64_t offset = 0;  // relative to the data
};

struct GgufDirectory {
  uint32_t version = 3;
  GgufKeys keys;
  std::vector<GgufEntry> entries;
  uint64_t end = 0;  // of the header, without padding
};

// kInvalid where the header cannot be read to its end. Of the entries only their form is checked.
GgufDirectory ReadGgufDirectory(const File& file, ProblemSink& problems);

// What an entry describes.
struct GgufArray {
  StoredArray array;  // its offset still relative to the data
  const GgmlType* type = nullptr;
};

// kInvalid (without the file) for an unknown type, an impossible shape or size.
GgufArray MakeGgufArray(const GgufEntry& entry, uint32_t file_index);

}  // namespace lbrx
