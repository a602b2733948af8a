// Arithmetic on runs of task vectors (a model less the base) that merge methods share. Every
// operation is one of float32 and the sums are of float64 in a fixed order, so results are the same
// bits on every CPU. No run may overlap another one in part.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace lbrx {

// Partial sums of a tensor's elements; the one at index i belongs to sum i % 8, so that they do not
// depend on the cut into runs.
using SumLanes = std::array<double, 8>;

double Total(const SumLanes& lanes);

// Magnitudes are compared as the bits of |x|: an order of all floats, NaN above infinity.
struct MagnitudeRange {
  int32_t first = 0;
  int32_t last = 0x7FFFFFFF;  // inclusive
};

// A run of elements of all members, and what they vote for (mergekit's "sum" consensus): where the
// sum of all is not below 0 the positive ones win, else the negative ones. Zeros never win.
struct Vote {
  float* values;  // member after member, `stride` elements apart
  size_t stride;
  const float* weights;  // one for each member
  size_t members;
};

struct DeltaOps {
  // out = a - b
  void (*subtract)(const float* a, const float* b, size_t count, float* out);
  // values += others
  void (*add)(const float* others, float* values, size_t count);
  // values *= factor
  void (*scale)(float factor, float* values, size_t count);
  // 0 for values whose magnitude is not in the range
  void (*keep_range)(MagnitudeRange range, float* values, size_t count);
  // 0 where the draw is above the last one with which elements are kept
  void (*keep_drawn)(const uint32_t* draws, uint32_t last, float* values, size_t count);
  // adds |value| to the lanes; the first value to lane 0. See AddMagnitudes().
  void (*add_magnitudes)(const float* values, size_t count, SumLanes& lanes);
  // sums of the values that won, in order, and of their members' weights
  void (*elect)(const Vote& vote, size_t count, float* sums, float* weights);
  // 0 for values that did not win, in place
  void (*keep_winners)(const Vote& vote, size_t count);
  // population variances of the members' values, in float64, rounded
  void (*variance)(const Vote& vote, size_t count, float* variances);
  // sums of the members' values, in order
  void (*sum)(const Vote& vote, size_t count, float* sums);
  // values /= divisors, where divisors are not 0
  void (*divide)(const float* divisors, float* values, size_t count);
};

// By definition, and as this CPU does it fastest.
extern const DeltaOps kReferenceDeltaOps;
const DeltaOps& FastDeltaOps();

// Adds |value| of elements from index `first` on.
void AddMagnitudes(uint64_t first, const float* values, size_t count, SumLanes& lanes);

}  // namespace lbrx
