// The error that encoding would make, without keeping what it writes: for choosing among schemes.
#pragma once

#include <cstdint>

#include "quant/codec.h"

namespace lbrx {

// How much the error of each column counts. The run begins at column `first` of a row.
struct ColumnWeights {
  const float* weights = nullptr;  // `columns` of them; nullptr: all 1
  uint64_t columns = 0;            // a multiple of the group
  uint64_t first = 0;              // a multiple of the group, below `columns`
};

// The sum of weight * (decode(encode(v)) - v)^2 over the run, in float64, with values decoded to
// F32. `job.planes` is not looked at. Element k of a run is added to partial sum k % 16 and these
// are added up in a fixed order, so the result is the same on every CPU; it depends on the run
// alone.
double EncodeError(const EncodeJob& job, const ColumnWeights& columns = {});
// The same by the scalar definitions.
double EncodeErrorReference(const EncodeJob& job, const ColumnWeights& columns = {});

}  // namespace lbrx
