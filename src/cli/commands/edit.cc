#include "convert/edit.h"

#include "cli/commands/commands.h"
#include "cli/commands/write.h"
#include "cli/commands/write_report.h"
#include "cli/context.h"
#include "cli/formatters/text.h"
#include "convert/convert.h"
#include "core/base/format.h"
#include "stream/engine.h"

namespace lbrx {
namespace {

constexpr uint64_t kDefaultMemory = uint64_t{192} << 20;
constexpr uint64_t kMostThreads = 4096;
constexpr size_t kLongestPath = 4096;

EditRequest RequestOf(const ParsedArgs& args) {
  EditRequest request;
  request.source = args.positionals()[0];
  request.destination = args.positionals()[1];
  for (const auto& [option, value] : args.given()) {
    if (option->name == "--set") {
      request.edits.push_back(ParseGgufEdit(value));
    } else if (option->name == "--remove") {
      request.edits.push_back({value, std::nullopt});
    }
  }
  request.shard_size = args.Size("--shard-size");
  return request;
}

RunOptions OptionsOf(Context& context, const EditRequest& request) {
  const ParsedArgs& args = context.args();
  RunOptions options;
  options.destination = request.destination;
  options.memory = args.Size("--memory").value_or(kDefaultMemory);
  options.threads = static_cast<unsigned>(args.Uint("--threads", 1, kMostThreads).value_or(0));
  options.force = args.Has("--force");
  options.sync = !args.Has("--no-sync");
  options.allow_nonfinite = true;  // tensors are copied as they are
  options.cancel = &context.cancel();
  return options;
}

Plan MakeEditPlan(Context& context, const EditRequest& request) {
  auto source = std::make_shared<const Checkpoint>(OpenCheckpoint(request.source));
  CheckPathsApart(request.source, request.destination);
  for (const DataFile& file : source->files) {
    CheckPathsApart(file.path, request.destination);
  }
  for (const Problem& problem : source->problems) {
    context.Warning(FormatMessage(problem.detail));
  }
  Plan plan = PlanEdit(request, std::move(source));
  for (const std::string& notice : plan.notices) {
    context.Notice(notice);
  }
  return plan;
}

void Show(Context& context, const Plan& plan, const EditRequest& request) {
  if (context.json()) {
    context.PrintJson(DryRunJson(plan, OptionsOf(context, request)));
  } else {
    context.Print(DryRunText(plan, OptionsOf(context, request), context.width(), context.color()));
  }
}

void Write(Context& context, const Plan& plan, const EditRequest& request) {
  RunOptions options = OptionsOf(context, request);
  context.set_resume_hint(ResumeHint(request.destination));
  options.progress = &context.StartProgress("copying");
  const RunResult result = RunPlan(plan, options);
  context.StopProgress();
  if (context.json()) {
    Json notices = Json::MakeArray();
    for (const std::string& notice : plan.notices) {
      notices.Append(notice);
    }
    context.PrintJson({{"source", request.source},
                       {"destination", request.destination},
                       {"tensors", static_cast<uint64_t>(plan.tensors.size())},
                       {"files", static_cast<uint64_t>(plan.layout.files.size())},
                       {"output_bytes", result.output_bytes},
                       {"seconds", result.seconds},
                       {"notices", std::move(notices)}});
  } else {
    context.Status(
        Format("wrote {}: {} tensors, {}, {:.2f} s", Printable(request.destination, kLongestPath),
               FormatCount(plan.tensors.size()), FormatBytes(result.output_bytes), result.seconds));
  }
}

int Run(Context& context) {
  const EditRequest request = RequestOf(context.args());
  const Plan plan = MakeEditPlan(context, request);
  if (context.args().Has("--dry-run")) {
    Show(context, plan, request);
  } else {
    Write(context, plan, request);
  }
  return 0;
}

constexpr std::array<OptionSpec, 4> kOptions = {{
    {.name = "--set",
     .value = "KEY=TYPE:VALUE",
     .help = "Give a key this value. TYPE is u8, i8, u16, i16, u32, i32, u64, i64, f32, f64, bool "
             "or str, or one of them with [] for a list: str[]:a,b (a comma in a text is \\,)",
     .repeatable = true},
    {.name = "--remove", .value = "KEY", .help = "Leave a key out", .repeatable = true},
    {.name = "--shard-size",
     .value = "SIZE",
     .help = "Most bytes of tensors in one part of a split set: DST-00001-of-00003.gguf...",
     .fallback = "one file"},
    {.name = "--dry-run", .help = "Show what would be written; write nothing", .group = "Running"},
}};

OptionTable Options() {
  return kOptions;
}

constexpr std::array<Example, 4> kExamples = {
    {{"lbrx edit model.gguf longer.gguf --set llama.context_length=u32:32768", "change a key"},
     {"lbrx edit model.gguf new.gguf --set general.name=str:Mine --remove general.url",
      "several changes, in the order given"},
     {"lbrx edit model.gguf aligned.gguf --set general.alignment=u32:4096",
      "the tensors move to multiples of that"},
     {"lbrx edit model-00001-of-00004.gguf model.gguf", "put a split set together"}}};
constexpr std::array<ArgumentSpec, 2> kArguments = {
    {{.name = "SRC", .help = "A .gguf file, or any part of a split set; it is never written to"},
     {.name = "DST", .help = "The changed copy"}}};

}  // namespace

constinit const CommandInfo kEditCommand = {
    .name = "edit",
    .summary = "Change the keys of a GGUF file, in a copy",
    .details =
        "Tensors are copied byte for byte; only the header is written anew. Keys that are "
        "not named stay as they are, in their order; new ones come last. lbrx inspect shows "
        "keys and types.",
    .examples = kExamples,
    .arguments = kArguments,
    .options = {Options, WritingOptions},
    .run = Run,
    .group = "Change checkpoints"};

}  // namespace lbrx
