// Files that torch.save writes: a ZIP archive (since torch 1.6) or a row of pickles with the data
// behind (before). Read as data; nothing of a pickle is executed. docs/formats/torch.md
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/checkpoint.h"

namespace lbrx {

struct TorchFile {
  std::vector<StoredArray> arrays;  // by offset; they may share bytes and may have strides
  std::string_view layout;          // "ZIP archive", "legacy layout"
};

// Whether a file whose first bytes (512, or all) are `head` is to be read as torch's. `path` is
// asked only where the content does not tell: pickles of early protocols have no mark.
bool IsTorchFile(std::string_view head, const std::string& path);

// Whether a name ends as those of torch's files do.
bool HasTorchEnding(std::string_view path);

// Finds the tensors of a file and checks that their data lies in it; reads the pickles only. Errors
// are kInvalid with the position; what else is refused: TorchScript archives, torch's tar layout,
// big-endian data. Warnings go to `problems`. With `collect` errors of single tensors go there as
// well, and the tensors are left out.
TorchFile ReadTorchFile(const File& file, uint32_t file_index, std::vector<Problem>& problems,
                        bool collect);

}  // namespace lbrx
