#include "cli/commands/write.h"

#include "cli/commands/looks.h"
#include "cli/commands/merge_report.h"
#include "cli/commands/own_file.h"
#include "cli/commands/write_report.h"
#include "cli/formatters/html_report.h"
#include "convert/choose.h"
#include "core/base/format.h"
#include "core/io/partial.h"
#include "core/parallel/executor.h"
#include "merge/merge.h"
#include "model/open_model.h"

namespace lbrx {
namespace {

constexpr uint64_t kDefaultMemory = uint64_t{192} << 20;
constexpr uint64_t kMostThreads = 4096;
constexpr size_t kLongestPath = 4096;

unsigned Threads(const Context& context) {
  const ParsedArgs& args = context.args();
  // Only merge has mergekit's spelling.
  const bool peers = context.command().name == "merge" && args.Has("--num-threads");
  return static_cast<unsigned>(
      args.Uint(peers ? "--num-threads" : "--threads", 1, kMostThreads).value_or(0));
}

std::string Folder(const std::string& source) {
  if (PathExists(source)) {
    return source;
  }
  return ResolveHubName(source).value_or(source);
}

RunOptions OptionsOf(Context& context, const ConvertRequest& request) {
  const ParsedArgs& args = context.args();
  RunOptions options;
  options.destination = request.destination;
  options.memory = args.Size("--memory").value_or(kDefaultMemory);
  options.threads = Threads(context);
  options.force = args.Has("--force");
  options.sync = !args.Has("--no-sync");
  options.no_output = args.Has("--no-output");
  options.measure = args.Has("--report");
  options.allow_nonfinite = args.Has("--allow-nonfinite");
  options.cancel = &context.cancel();
  return options;
}

int WritePlan(Context& context, const Plan& plan) {
  const std::string file = *context.args().Value("--plan");
  WriteOwnFile(file, context.args().Has("--force"), OwnFileText(PlanToJson(plan)));
  if (context.json()) {
    context.PrintJson({{"plan", file}, {"hash", PlanHash(plan).Hex()}});
  } else {
    const std::string name = Printable(file, kLongestPath);
    context.Status(Format("wrote the plan {0}; lbrx apply {0} runs it", name));
  }
  return 0;
}

// Measures the candidates of --target-bpw and --target-size, which reads the source once more.
ConvertRequest Survey(Context& context, const ConvertRequest& request, const ModelSource& source) {
  const Plan plan = PlanSurvey(request, source);
  RunOptions options = OptionsOf(context, request);
  options.no_output = true;
  options.measure = false;
  options.progress = &context.StartProgress("measuring");
  const RunResult measured = RunPlan(plan, options);
  context.StopProgress();
  return ChooseSchemes(request, source, plan, measured);
}

// --report, checked before the run and written after it.
class Report {
 public:
  Report(Context& context, const Work& work, const ConvertRequest& request, RunOptions& options)
      : context_(context), work_(work), request_(request), options_(options) {
    path_ = context.args().Value("--report");
    if (!path_) {
      return;
    }
    CheckOwnFile(*path_, options.force);
    CheckReportMemory(work.parts, options);
    if (IsPage(*path_)) {
      watch_.emplace(work.plan);
      options.observe = [this](size_t tensor, std::span<const float> values,
                               std::span<const float> decoded) {
        watch_->Observe(tensor, values, decoded);
      };
    }
  }

  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;

  void Write(const RunResult& result) {
    if (!path_) {
      return;
    }
    std::optional<MergeLook> merge;
    if (!work_.parts.empty()) {
      merge = MeasureForReport(context_, work_.parts, work_.plan.sources, options_);
    }
    const MergeLook* merged = merge ? &*merge : nullptr;
    WriteOwnFile(*path_, options_.force,
                 watch_ ? Page(result, merged)
                        : OwnFileText(ReportJson(work_.plan, request_, result, merged)));
  }

 private:
  std::string Page(const RunResult& result, const MergeLook* merge) {
    Look look = LookOfRun(work_.plan, request_, result);
    look.command = CommandText(context_);
    watch_->MoveInto(look);
    return HtmlReport(look, merge);
  }

  Context& context_;
  const Work& work_;
  const ConvertRequest& request_;
  const RunOptions& options_;
  std::optional<std::string> path_;
  std::optional<HistogramWatch> watch_;  // of a page
};

int Run(Context& context, const Work& work, const ConvertRequest& request) {
  const Plan& plan = work.plan;
  RunOptions options = OptionsOf(context, request);
  Report report(context, work, request, options);
  if (!options.no_output) {
    context.set_resume_hint(ResumeHint(request.destination));
  }
  options.progress = &context.StartProgress(!request.merge.is_null() ? "merging"
                                            : request.scheme         ? "quantizing"
                                                                     : "converting");
  const RunResult result = RunPlan(plan, options);
  context.StopProgress();
  if (result.zeroed != 0) {
    context.Warning(Format("{} NaN or infinite values were replaced by 0", result.zeroed));
  }
  report.Write(result);
  if (context.json()) {
    context.PrintJson(ResultJson(plan, request, options, result));
  } else {
    context.Status(ResultText(plan, request, options, result));
  }
  return 0;
}

// `parts`: what the tensors of a merge are made of.
ModelSource OpenSource(Context& context, const ConvertRequest& request, const OpenOptions& options,
                       std::vector<MergeParts>& parts) {
  if (request.merge.is_null()) {
    auto stored = std::make_shared<const Checkpoint>(OpenModel(request.source, options));
    context.Detail(1, Format("{}: {}", request.source, stored->reason));
    CheckPathsApart(Folder(request.source), request.destination);
    return SourceOf(std::move(stored));
  }
  Merge merge = PlanMerge(MergeRequest::FromJson(request.merge), options);
  for (const std::string& notice : merge.notices) {
    context.Notice(notice);
  }
  merge.paths.push_back(request.source);  // the configuration
  for (const std::string& path : merge.paths) {
    CheckPathsApart(Folder(path), request.destination);
  }
  parts = std::move(merge.parts);
  return std::move(merge.source);
}

}  // namespace

std::string ResumeHint(const std::string& destination) {
  return Format(
      "the work done so far is kept in {0}{1}; the same command "
      "continues it, `lbrx clean {0}` removes it",
      destination, PartialOutput::kSuffix);
}

Work MakePlan(Context& context, ConvertRequest& request) {
  const unsigned threads = Threads(context);
  Executor executor(threads == 0 ? Executor::HardwareThreads() : threads);
  OpenOptions options;
  options.strict = request.strict;
  options.executor = &executor;
  Work work;
  ModelSource source = OpenSource(context, request, options, work.parts);
  if (NeedsSurvey(request)) {
    request = Survey(context, request, source);
  }
  work.plan = PlanConvert(request, std::move(source));
  for (const std::string& notice : work.plan.notices) {
    context.Notice(notice);
  }
  return work;
}

int CarryOut(Context& context, const Work& work, const ConvertRequest& request) {
  const Plan& plan = work.plan;
  if (context.command().name != "apply" && context.args().Has("--plan")) {
    return WritePlan(context, plan);
  }
  if (context.args().Has("--dry-run")) {
    const RunOptions options = OptionsOf(context, request);
    if (context.json()) {
      context.PrintJson(DryRunJson(plan, options));
    } else {
      context.Print(DryRunText(plan, options, context.width(), context.color()));
    }
    return 0;
  }
  return Run(context, work, request);
}

}  // namespace lbrx
