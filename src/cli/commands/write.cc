#include "cli/commands/write.h"

#include <algorithm>
#include <cctype>

#include "cli/commands/write_report.h"
#include "core/base/format.h"
#include "core/io/partial.h"
#include "core/parallel/executor.h"

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

// Whether the file begins as what we write: an object whose first member is our schema.
bool IsOwnFile(const std::string& path) {
  const std::shared_ptr<File> file = File::OpenRead(path);
  std::string start(std::min<uint64_t>(file->Size(), 64), '\0');
  file->ReadAt(0, std::as_writable_bytes(std::span(start)));
  const size_t brace = start.find_first_not_of(" \r\n\t");
  return brace != std::string::npos && start[brace] == '{' &&
         start.find("\"schema\": \"lbrx.") != std::string::npos;
}

// What would fail only after hours of work is refused before.
void CheckOwnFile(const Context& context, const std::string& path) {
  ErrorDetail detail;
  detail.file = path;
  if (IsDirectory(path)) {
    detail.what = "is a folder";
    detail.advice = "name a file";
    throw Error(ErrorCode::kIo, std::move(detail));
  }
  if (!IsDirectory(ParentPath(path))) {
    detail.what = "its folder does not exist";
    throw Error(ErrorCode::kIo, std::move(detail));
  }
  if (PathExists(path) && !context.args().Has("--force") && !IsOwnFile(path)) {
    detail.what = "already exists and was not written by lbrx";
    detail.advice = "choose another name, or use --force";
    throw Error(ErrorCode::kIo, std::move(detail));
  }
}

int WritePlan(Context& context, const Plan& plan) {
  const std::string file = *context.args().Value("--plan");
  WriteOwnFile(context, file, PlanToJson(plan));
  if (context.json()) {
    context.PrintJson({{"plan", file}, {"hash", PlanHash(plan).Hex()}});
  } else {
    const std::string name = Printable(file, kLongestPath);
    context.Status(Format("wrote the plan {0}; lbrx apply {0} runs it", name));
  }
  return 0;
}

int Run(Context& context, const Plan& plan, const ConvertRequest& request) {
  RunOptions options = OptionsOf(context, request);
  const std::optional<std::string> report = context.args().Value("--report");
  if (report) {
    CheckOwnFile(context, *report);
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
    WriteOwnFile(context, *report, ReportJson(plan, request, result));
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

Plan MakePlan(Context& context, const ConvertRequest& request) {
  const unsigned threads = Threads(context);
  Executor executor(threads == 0 ? Executor::HardwareThreads() : threads);
  OpenOptions options;
  options.strict = request.strict;
  options.executor = &executor;
  auto source = std::make_shared<const Checkpoint>(OpenCheckpoint(request.source, options));
  context.Detail(1, Format("{}: {}", request.source, source->reason));
  CheckPathsApart(Folder(request.source), request.destination);
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

void WriteOwnFile(const Context& context, const std::string& path, const Json& content) {
  CheckOwnFile(context, path);
  const std::string temporary = path + ".lbrx-tmp";
  RemoveTree(temporary);
  try {
    const std::shared_ptr<File> file = File::Create(temporary);
    file->WriteAt(0, WriteJson(content, {.indent = 2, .ascii = true}) + "\n");
    file->Sync();
    RenamePath(temporary, path);
  } catch (const Error&) {
    RemoveTree(temporary);
    throw;
  }
}

}  // namespace lbrx
