// An output against the plan that makes it: everything is computed again and compared, byte for
// byte, with what is stored.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "check/check.h"
#include "stream/engine.h"

namespace lbrx {

// A plane whose bytes are not those that the plan gives.
struct PlaneDifference {
  std::string tensor;
  std::string plane;  // "weight", "scales"...
  std::string file;
  uint64_t offset = 0;  // of the first byte that differs, in the file
  uint64_t bytes = 0;   // that differ
  uint64_t size = 0;    // of the plane
  double max_difference =
      0;  // of the tensor's decoded values; infinite where one side is no number
};

struct Verification {
  std::vector<Problem> problems;  // all of them, errors: names, encodings, shapes, bytes
  std::vector<PlaneDifference> differences;
  uint64_t tensors = 0;   // of the plan
  uint64_t compared = 0;  // whose bytes were compared
  uint64_t bytes = 0;     // compared
};

// A sample's size; it holds one tensor of each kind all the same.
inline constexpr size_t kSampleTensors = 48;
inline constexpr uint64_t kSampleBytes = 4'000'000'000;

// Which tensors of the plan to look at where not all are: one of each kind (name without its
// numbers, encoding, way of being made), then others while there are fewer than kSampleTensors and
// they have less than kSampleBytes in all. Which ones follows from hashes of names alone. Sorted.
std::vector<size_t> SampleTensors(const Plan& plan);

// Computes `plan`, or a sample of it, under the limits of `options` (memory, threads, cancel,
// progress, allow_nonfinite) and compares what comes out with `made`. Nothing is written. Throws as
// RunPlan.
Verification VerifyOutput(Plan plan, const Checkpoint& made, bool all, const RunOptions& options);

}  // namespace lbrx
