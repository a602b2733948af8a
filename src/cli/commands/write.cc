#include "cli/commands/write.h"

#include <algorithm>
#include <cctype>

#include "cli/commands/looks.h"
#include "cli/commands/own_file.h"
#include "cli/commands/write_report.h"
#include "cli/formatters/html_report.h"
#include "convert/choose.h"
#include "core/base/format.h"
#include "core/io/partial.h"
#include "core/parallel/executor.h"
#include "model/open_model.h"

namespace lbrx {
namespace {

constexpr uint64_t kDefaultMemory = uint64_t{192} << 20;
constexpr uint64_t kMostThreads = 4096;
constexpr size_t kLongestPath = 4096;
constexpr std::string_view kNoGguf = "GGUF output is not available in this version";

[[noreturn]] void ThrowUsage(const std::string& object, std::string_view what,
                             const std::string& advice) {
  ErrorDetail detail;
  detail.object = object;
  detail.what = what;
  detail.advice = advice;
  throw Error(ErrorCode::kUsage, std::move(detail));
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// llama-quantize's names: Q4_K_M, IQ4_XS, TQ1_0, MXFP4_MOE.
bool IsGgufScheme(const std::string& scheme) {
  const std::string name = Lower(scheme);
  if (name == "mxfp4_moe") {
    return true;
  }
  for (const std::string_view prefix : {"q", "iq", "tq"}) {
    if (name.size() > prefix.size() && name.starts_with(prefix) &&
        std::isdigit(static_cast<unsigned char>(name[prefix.size()])) != 0 &&
        name.find('_') != std::string::npos) {
      return true;
    }
  }
  return false;
}

unsigned Threads(const Context& context) {
  return static_cast<unsigned>(context.args().Uint("--threads", 1, kMostThreads).value_or(0));
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
ConvertRequest Survey(Context& context, const ConvertRequest& request,
                      const std::shared_ptr<const Checkpoint>& source) {
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
    context.set_resume_hint(
        Format("the work done so far is kept in {0}{1}; the same command "
               "continues it, `lbrx clean {0}` removes it",
               request.destination, PartialOutput::kSuffix));
  }
  options.progress = &context.StartProgress(request.scheme ? "quantizing" : "converting");
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

}  // namespace

void RefuseGguf(const std::string& destination, const std::string& scheme) {
  if (Lower(destination).ends_with(".gguf")) {
    ThrowUsage(destination, kNoGguf, "choose a folder or a .safetensors file");
  }
  if (IsGgufScheme(scheme)) {
    const bool eight = scheme.find('8') != std::string::npos;
    ThrowUsage(scheme, kNoGguf,
               Format("the nearest that an MLX folder can hold is -q {}", eight ? "8bit" : "4bit"));
  }
}

Plan MakePlan(Context& context, ConvertRequest& request) {
  const unsigned threads = Threads(context);
  Executor executor(threads == 0 ? Executor::HardwareThreads() : threads);
  OpenOptions options;
  options.strict = request.strict;
  options.executor = &executor;
  auto source = std::make_shared<const Checkpoint>(OpenModel(request.source, options));
  context.Detail(1, Format("{}: {}", request.source, source->reason));
  CheckPathsApart(Folder(request.source), request.destination);
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
