// What commands have found out, as a Look to be drawn.
#pragma once

#include <string>
#include <vector>

#include "check/check.h"
#include "check/distribution.h"
#include "cli/context.h"
#include "cli/formatters/look.h"
#include "cli/formatters/picture.h"
#include "convert/convert.h"
#include "stream/engine.h"

namespace lbrx {

// Whether a report called `path` is a page, not JSON.
bool IsPage(const std::string& path);

// --report of commands that only look: always a page.
inline constexpr OptionSpec kPageOption = {.name = "--report",
                                           .value = "FILE.html",
                                           .help =
                                               "Write a page with pictures of bits, values and "
                                               "errors to look at in a browser",
                                           .completion = Completion::kPath};

// Its value, checked (kUsage, kIo) before any work is done.
std::optional<std::string> PageAskedFor(const Context& context);

// The command as one would type it: arguments, and the options that decide what comes out, each by
// its first spelling.
std::string CommandText(const Context& context);

PictureStyle PictureStyleOf(const Context& context);

// The tensors of a checkpoint that `chosen` lists (indices). No distributions yet.
Look LookOfTensors(const Checkpoint& checkpoint, const std::vector<size_t>& chosen);

Look LookOfDiffs(const std::vector<TensorDiff>& diffs);

// What a run did. Histograms come from a HistogramWatch.
Look LookOfRun(const Plan& plan, const ConvertRequest& request, const RunResult& result);

// Collects histograms of what a run encodes, by place of the output's tensor.
class HistogramWatch {
 public:
  explicit HistogramWatch(const Plan& plan);

  // For RunOptions::observe; lives as long as that.
  void Observe(size_t tensor, std::span<const float> values, std::span<const float> decoded);

  // Into the look of the same plan.
  void MoveInto(Look& look);

 private:
  std::vector<size_t> place_of_;  // of each tensor of the plan
  std::mutex mutex_;
  std::array<std::vector<Distribution>, 3> sums_;  // before, after, error
};

}  // namespace lbrx
