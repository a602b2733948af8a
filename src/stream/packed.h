// Tensors that other quantizers packed, as values: rectangles of their planes are read and decoded.
#pragma once

#include "stream/value.h"

namespace lbrx {

// The values of a tensor whose scheme is not writable. Its planes must have the shapes that
// PackedPlanes gives for `stored`, the shape of the values as they lie in the planes.
ValuePtr LoadPacked(const SourceFiles::Checkpoints& sources, uint32_t source,
                    const SourceTensor& tensor, const Shape& stored);

}  // namespace lbrx
