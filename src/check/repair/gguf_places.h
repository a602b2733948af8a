// Where the tensors of a damaged GGUF file lie.
#pragma once

#include <vector>

#include "check/repair/salvage.h"
#include "formats/gguf/directory.h"

namespace lbrx {

struct GgufPlaces {
  std::vector<GgufArray> arrays;  // whole, in the directory's order; offsets in the file
  std::vector<GgufArray> cut;     // of those lost, the ones whose kind is known
  std::vector<Lost> lost;
  std::vector<Mended> mended;
};

// Tensors lie one after another, each at a multiple of the alignment, so their sizes tell their
// places: where most offsets agree with them, or the size of the file does, the sizes are trusted
// for the others too, and for the alignment. Else every offset is taken as it stands, and what
// shares bytes with another tensor is lost.
GgufPlaces PlaceGgufTensors(const DataFile& file, const GgufDirectory& directory,
                            uint32_t file_index);

}  // namespace lbrx
