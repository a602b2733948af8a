// The safetensors container: u64 header length, JSON header, tensor data without gaps.
// Spec: https://github.com/huggingface/safetensors#format
#pragma once

#include <map>
#include <string>
#include <vector>

#include "formats/checkpoint.h"

namespace lbrx {

inline constexpr uint64_t kSafetensorsHeaderLimit = 100'000'000;

struct SafetensorsHeader {
  std::map<std::string, std::string> metadata;
  std::vector<StoredArray> arrays;  // by offset; StoredArray::file is `file_index`
};

// Reads and checks a header against the real file size: lengths, names, dtypes, shapes, spans
// without overlap, hole or trailing bytes. Reads the header's bytes only; time n log n and memory
// linear in the header. Errors: kInvalid with the byte offset, the tensor, expected and found.
// Warnings go to `problems` (may be null). With `collect` errors of single tensors, gaps and
// overlaps go there as well: bad tensors are left out, and only a header that cannot be read at all
// is thrown.
SafetensorsHeader ReadSafetensorsHeader(const File& file, uint32_t file_index,
                                        std::vector<Problem>* problems, bool collect = false);

struct SafetensorsEntry {
  std::string name;
  DType dtype;
  Shape shape;
};

// The layout of a new file, byte for byte what the safetensors library writes: entries sorted by
// dtype (largest first), then name; header padded with spaces to a multiple of 8. Names must
// differ. kLimit: a header of more than kSafetensorsHeaderLimit bytes.
struct SafetensorsLayout {
  std::string header;             // length field and JSON
  std::vector<uint64_t> offsets;  // of each entry, in the file, in the order given
  uint64_t file_size = 0;
};

SafetensorsLayout LayOutSafetensors(const std::vector<SafetensorsEntry>& entries,
                                    const std::map<std::string, std::string>& metadata);

}  // namespace lbrx
