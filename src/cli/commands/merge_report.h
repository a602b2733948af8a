// What a report tells about a merge: one more reading of the models, after the run.
#pragma once

#include <vector>

#include "cli/context.h"
#include "cli/formatters/merge_look.h"
#include "stream/engine.h"

namespace lbrx {

// Throws kLimit where the memory of `options` is too little for MeasureForReport: before the run.
void CheckReportMemory(const std::vector<MergeParts>& parts, const RunOptions& options);

// Measures under the limits of `options`, with progress. `files` are what the parts read.
MergeLook MeasureForReport(Context& context, const std::vector<MergeParts>& parts,
                           const SourceFiles::Checkpoints& files, const RunOptions& options);

}  // namespace lbrx
