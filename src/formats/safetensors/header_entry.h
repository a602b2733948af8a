// One entry of a safetensors header, checked by itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "formats/safetensors/header_parser.h"

namespace lbrx {

// What the header says of an array.
struct HeaderEntry {
  DType dtype = DType::kU8;
  Shape shape;
  uint64_t begin = 0;  // data_offsets, relative to the data part
  uint64_t end = 0;
  bool has_dtype = false;
  bool has_shape = false;
  bool has_offsets = false;
};

// What is wrong with the entry (file, object and offset left
// out), or nullopt where all is well.
std::optional<ErrorDetail> CheckHeaderEntry(const std::string& name, const HeaderEntry& entry,
                                            uint64_t data_bytes);

}  // namespace lbrx
