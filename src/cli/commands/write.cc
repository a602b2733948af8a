#include "cli/commands/write.h"

#include "cli/commands/looks.h"
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

// --report as a page to look at.
std::string PageOfRun(const Context& context, const Plan& plan, const ConvertRequest& request,
                      const RunResult& result, HistogramWatch& watch) {
  Look look = LookOfRun(plan, request, result);
  look.command = CommandText(context);
  watch.MoveInto(look);
  return HtmlReport(look);
}

int Run(Context& context, const Plan& plan, const ConvertRequest& request) {
  RunOptions options = OptionsOf(context, request);
  const std::optional<std::string> report = context.args().Value("--report");
  if (report) {
    CheckOwnFile(*report, options.force);
  }
  std::optional<HistogramWatch> watch;
  if (report && IsPage(*report)) {
    watch.emplace(plan);
    options.observe = [&](size_t tensor, std::span<const float> values,
                          std::span<const float> decoded) {
      watch->Observe(tensor, values, decoded);
    };
  }
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
  if (report) {
    WriteOwnFile(*report, options.force,
                 watch ? PageOfRun(context, plan, request, result, *watch)
                       : OwnFileText(ReportJson(plan, request, result)));
  }
  if (context.json()) {
    context.PrintJson(ResultJson(plan, request, options, result));
  } else {
    context.Status(ResultText(plan, request, options, result));
  }
  return 0;
}

ModelSource OpenSource(Context& context, const ConvertRequest& request,
                       const OpenOptions& options) {
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
  for (const std::string& path : merge.paths) {
    CheckPathsApart(Folder(path), request.destination);
  }
  return std::move(merge.source);
}

}  // namespace

std::string ResumeHint(const std::string& destination) {
  return Format(
      "the work done so far is kept in {0}{1}; the same command "
      "continues it, `lbrx clean {0}` removes it",
      destination, PartialOutput::kSuffix);
}

Plan MakePlan(Context& context, ConvertRequest& request) {
  const unsigned threads = Threads(context);
  Executor executor(threads == 0 ? Executor::HardwareThreads() : threads);
  OpenOptions options;
  options.strict = request.strict;
  options.executor = &executor;
  ModelSource source = OpenSource(context, request, options);
  if (NeedsSurvey(request)) {
    request = Survey(context, request, source);
  }
  Plan plan = PlanConvert(request, std::move(source));
  for (const std::string& notice : plan.notices) {
    context.Notice(notice);
  }
  return plan;
}

int CarryOut(Context& context, const Plan& plan, const ConvertRequest& request) {
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
  return Run(context, plan, request);
}

}  // namespace lbrx
