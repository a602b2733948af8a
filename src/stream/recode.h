// Recipes that carry codes over between GGUF's blocks and MLX's schemes (quant/recode.h), and the
// looks at scales that tell, before a plan is made, whether that is possible.
#pragma once

#include <optional>
#include <vector>

#include "stream/value.h"

namespace lbrx {

// A tensor's codes: the planes of `encoding`, in the order of PlanesOf.
struct Codes {
  Encoding encoding;
  std::vector<ValuePtr> planes;
};

// Codes of a GGUF tensor as those of MlxTwin or, with rounded scales, MlxNeighbour; scales are F16.
// `codes` has one plane of bytes, whose
// rows are whole blocks. Each plane of the result reads the blocks anew. nullopt: the block type
// has neither, or the shape does not suit it. Reading is kInvalid for what CanCarryToMlx refuses.
std::optional<Codes> CodesForMlx(const Codes& codes);

// Codes of an MLX tensor as blocks of the type that BlockTwinOf found.
Codes CodesForGguf(const Codes& codes, Scheme block);

// Whether scales of every block have a place in CodesForMlx(codes). Reads the whole tensor, in
// little memory, up to the first block that has none.
bool CanCarryToMlx(const Codes& codes, SourceFiles& files, Pool& pool);

// The smallest block type that holds an MLX tensor's numbers exactly; nullopt: none does. Reads its
// scales and biases, in little memory, and no further than needed.
std::optional<Scheme> BlockTwinOf(const Codes& codes, SourceFiles& files, Pool& pool);

}  // namespace lbrx
