// Runs a plan: bands of elements flow read -> compute -> write on a pool of threads, under a memory
// budget, with a journal that lets the same command continue after a kill.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/parallel/cancel.h"
#include "stream/measure.h"
#include "stream/plan.h"
#include "stream/progress.h"

namespace lbrx {

// A run of bytes of an output's plane.
struct PlaneRun {
  size_t plane = 0;
  uint64_t offset = 0;  // from the plane's start
  std::span<const std::byte> bytes;
};

// What a band comes to: a run of each plane; of a tensor whose planes are copied, of one of them.
struct BandResult {
  size_t tensor = 0;  // its index in the plan
  std::span<const PlaneRun> planes;
};

struct RunOptions {
  std::string destination;
  uint64_t memory = uint64_t{192} << 20;
  unsigned threads = 0;  // 0: all
  bool force = false;
  bool sync = true;
  bool no_output = false;  // read, compute and measure; write nothing
  bool measure = false;    // decode what was encoded and sum the errors
  bool allow_nonfinite = false;
  // Called from any thread, where `measure`, with each run of values that was encoded in this run
  // (not in an earlier one that it goes on from): the tensor's index in the plan, the values, and
  // what they decode to. May be empty.
  std::function<void(size_t tensor, std::span<const float> values, std::span<const float> decoded)>
      observe;
  // Called from any thread with what each band comes to in this run, before it is written. May be
  // empty.
  std::function<void(const BandResult&)> receive;
  CancelToken* cancel = nullptr;
  ProgressSink* progress = nullptr;
};

struct RunResult {
  uint64_t source_bytes = 0;   // of the whole plan
  uint64_t output_bytes = 0;   // of the whole output
  uint64_t resumed_bytes = 0;  // source bytes whose work an earlier run had done
  double seconds = 0;
  uint64_t peak_memory = 0;       // of the budget
  std::vector<ErrorSums> errors;  // per tensor of the plan, where measured
  // Squared error of each tensor under each of its candidates.
  std::vector<std::vector<double>> surveyed;
  uint64_t zeroed = 0;           // non-finite values replaced by 0 under allow_nonfinite
  bool finished_before = false;  // an earlier run had already moved the output into place
};

// Memory that the plan needs at least, whatever the options (one band of the largest kind).
uint64_t MinimumMemory(const Plan& plan);

RunResult RunPlan(const Plan& plan, const RunOptions& options);

}  // namespace lbrx
