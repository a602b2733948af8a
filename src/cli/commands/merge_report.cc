#include "cli/commands/merge_report.h"

#include "core/base/format.h"
#include "core/parallel/executor.h"

namespace lbrx {

void CheckReportMemory(const std::vector<MergeParts>& parts, const RunOptions& options) {
  const uint64_t least = StatisticsMemory(parts);
  if (least > options.memory) {
    throw Error(ErrorCode::kLimit, {.file = "",
                                    .object = "--memory",
                                    .what = "too small for the report of this merge",
                                    .expected = Format("at least {} bytes", least),
                                    .found = Format("{}", options.memory),
                                    .offset = {},
                                    .advice = "nothing was written"});
  }
}

MergeLook MeasureForReport(Context& context, const std::vector<MergeParts>& parts,
                           const SourceFiles::Checkpoints& files, const RunOptions& options) {
  Executor executor(options.threads == 0 ? Executor::HardwareThreads() : options.threads);
  ProgressReporter& progress = context.StartProgress("measuring");
  CheckOptions measuring;
  measuring.executor = &executor;
  measuring.memory = options.memory;
  measuring.cancel = options.cancel;
  measuring.advance = [&](uint64_t bytes) { progress.Advance(bytes); };
  progress.Start(StatisticsBytes(parts), 0);
  MergeLook look = LookOfMerge(parts, MeasureMerge(parts, files, measuring));
  progress.Done();
  context.StopProgress();
  return look;
}

}  // namespace lbrx
