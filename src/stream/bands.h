// A plan cut into bands: runs of elements that are read, computed and written in one go.
#pragma once

#include <cstdint>
#include <vector>

#include "stream/plan.h"

namespace lbrx {

// The cut depends on the plan alone, never on memory or threads, so that a journal stays valid when
// those change.
struct Band {
  static constexpr int32_t kWholeTensor = -1;
  uint32_t tensor;  // index into Plan::tensors
  int32_t plane;    // kWholeTensor, or the plane that is copied
  uint64_t first;   // elements of the value
  uint64_t count;
};

std::vector<Band> CutIntoBands(const Plan& plan);

// The importance of a tensor's columns in rows from element `first` on; nullptr where all count
// alike. It is the same for all of a band.
const float* ImportanceAt(const PlannedTensor& tensor, uint64_t first);

// The value that a band reads.
const Value& ValueOf(const Plan& plan, const Band& band);

// Source bytes that a band stands for in progress figures; a tensor's bands add up to its
// SourceBytes.
uint64_t ProgressBytes(const Plan& plan, const Band& band);

// Memory that working on the band takes, all buffers together.
uint64_t WorkingBytes(const Plan& plan, const Band& band, bool measure);

// Bytes of plane `plane` that `elements` elements (whole granules) of the tensor take.
uint64_t PlanePart(const OutputTensor& tensor, size_t plane, uint64_t elements);

}  // namespace lbrx
