#include "check/repair/repair.h"

#include "cli/commands/commands.h"
#include "cli/commands/write.h"
#include "cli/commands/write_report.h"
#include "cli/context.h"
#include "cli/formatters/table.h"
#include "cli/formatters/text.h"
#include "convert/convert.h"
#include "core/base/format.h"
#include "core/parallel/executor.h"
#include "stream/engine.h"

namespace lbrx {
namespace {

constexpr uint64_t kDefaultMemory = uint64_t{192} << 20;
constexpr uint64_t kMostThreads = 4096;
constexpr size_t kLongestPath = 4096;
constexpr size_t kMostShown = 20;  // mended and lost things, without -v

RepairRequest RequestOf(const ParsedArgs& args) {
  RepairRequest request;
  request.source = args.positionals()[0];
  request.destination = args.positionals()[1];
  request.reference = args.ValueOr("--reference", "");
  const std::string fill = args.ValueOr("--fill", "");
  request.fill = fill == "zeros"       ? RepairRequest::Fill::kZeros
                 : fill == "reference" ? RepairRequest::Fill::kReference
                                       : RepairRequest::Fill::kNothing;
  request.shard_size = args.Size("--shard-size").value_or(request.shard_size);
  return request;
}

// What is on disk for a path that may be a name of the hub.
std::string OnDisk(const std::string& path) {
  return PathExists(path) ? path : ResolveHubName(path).value_or(path);
}

RunOptions OptionsOf(Context& context, const RepairRequest& request) {
  const ParsedArgs& args = context.args();
  RunOptions options;
  options.destination = request.destination;
  options.memory = args.Size("--memory").value_or(kDefaultMemory);
  options.threads = static_cast<unsigned>(args.Uint("--threads", 1, kMostThreads).value_or(0));
  options.force = args.Has("--force");
  options.sync = !args.Has("--no-sync");
  options.allow_nonfinite = true;  // values are data
  options.cancel = &context.cancel();
  return options;
}

Repair Examine(const RepairRequest& request) {
  CheckPathsApart(OnDisk(request.source), request.destination);
  std::shared_ptr<const Checkpoint> reference;
  if (!request.reference.empty()) {
    CheckPathsApart(OnDisk(request.reference), request.destination);
    reference = std::make_shared<const Checkpoint>(OpenCheckpoint(request.reference));
  }
  return PlanRepair(request, std::move(reference));
}

Json Text(const std::string& text) {
  return text.empty() ? Json() : Json(Printable(text, kLongestPath));
}

Json::Object Outcome(const RepairRequest& request, const Repair& repair) {
  Json files = Json::MakeArray();
  for (const Repair::File& file : repair.files) {
    files.Append(Json::Object{{"file", Text(file.name)},
                              {"state", file.state},
                              {"tensors", file.tensors},
                              {"bytes", file.bytes}});
  }
  Json mended = Json::MakeArray();
  for (const Mended& row : repair.mended) {
    mended.Append(Json::Object{
        {"file", Text(row.file)}, {"object", Text(row.object)}, {"what", Text(row.what)}});
  }
  Json lost = Json::MakeArray();
  for (const Lost& row : repair.lost) {
    lost.Append(Json::Object{{"tensor", Text(row.tensor)},
                             {"bytes", row.bytes ? Json(*row.bytes) : Json()},
                             {"reason", Text(row.reason)},
                             {"filled", Text(row.filled)}});
  }
  return {{"source", request.source},
          {"destination", request.destination},
          {"found",
           Json(Json::Object{
               {"tensors", repair.tensors}, {"bytes", repair.bytes}, {"files", std::move(files)}})},
          {"mended", std::move(mended)},
          {"lost", std::move(lost)}};
}

void PrintFound(Context& context, const Repair& repair) {
  context.Print(Format("found   {} whole tensors, {}\n", FormatCount(repair.tensors),
                       FormatBytes(repair.bytes)));
  Table table(
      {{"  file"}, {"tensors", Table::Align::kRight}, {"bytes", Table::Align::kRight}, {"state"}});
  for (const Repair::File& file : repair.files) {
    table.AddRow({"  " + Printable(file.name), FormatCount(file.tensors), FormatBytes(file.bytes),
                  file.state});
  }
  context.Print(table.ToString(context.width(), context.color()));
}

size_t ShownOf(const Context& context, size_t count) {
  return context.verbosity() > 0 ? count : std::min(count, kMostShown);
}

void PrintRest(Context& context, size_t shown, size_t count) {
  if (shown < count) {
    context.Print(Format("  and {} more; -v shows all\n", FormatCount(count - shown)));
  }
}

void PrintMended(Context& context, const Repair& repair) {
  context.Print(repair.mended.empty() ? "mended  nothing was to be mended\n"
                                      : Format("mended  {}\n", FormatCount(repair.mended.size())));
  const size_t shown = ShownOf(context, repair.mended.size());
  for (size_t i = 0; i < shown; ++i) {
    const Mended& row = repair.mended[i];
    std::string line = "  " + Printable(BaseName(row.file), kLongestPath);
    line += row.object.empty() ? "" : ": " + Printable(row.object);
    context.Print(line + ": " + Printable(row.what, kLongestPath) + "\n");
  }
  PrintRest(context, shown, repair.mended.size());
}

void PrintLost(Context& context, const Repair& repair) {
  if (repair.lost.empty()) {
    context.Print("lost    nothing\n");
    return;
  }
  context.Print(Format("lost    {}\n", FormatCount(repair.lost.size())));
  Table table({{"  tensor"}, {"bytes", Table::Align::kRight}, {"why"}});
  const size_t shown = ShownOf(context, repair.lost.size());
  for (size_t i = 0; i < shown; ++i) {
    const Lost& row = repair.lost[i];
    table.AddRow({"  " + Printable(row.tensor), row.bytes ? FormatCount(*row.bytes) : "?",
                  Printable(row.reason, kLongestPath) +
                      (row.filled.empty() ? "" : "; filled with " + row.filled)});
  }
  context.Print(table.ToString(context.width(), context.color()));
  PrintRest(context, shown, repair.lost.size());
}

void PrintText(Context& context, const Repair& repair) {
  PrintFound(context, repair);
  PrintMended(context, repair);
  PrintLost(context, repair);
}

void Write(Context& context, const RepairRequest& request, const Plan& plan) {
  RunOptions options = OptionsOf(context, request);
  context.set_resume_hint(ResumeHint(request.destination));
  options.progress = &context.StartProgress("repairing");
  const RunResult result = RunPlan(plan, options);
  context.StopProgress();
  context.Status(Format("wrote {}: {} tensors, {}, {:.2f} s",
                        Printable(request.destination, kLongestPath), plan.tensors.size(),
                        FormatBytes(result.output_bytes), result.seconds));
}

int Run(Context& context) {
  const RepairRequest request = RequestOf(context.args());
  const Repair repair = Examine(request);
  const bool dry_run = context.args().Has("--dry-run");
  if (!dry_run) {
    Write(context, request, repair.plan);
  }
  if (context.json()) {
    Json::Object outcome = Outcome(request, repair);
    if (dry_run) {
      outcome.emplace_back("plan", DryRunJson(repair.plan, OptionsOf(context, request)));
    }
    context.PrintJson(std::move(outcome));
  } else {
    if (dry_run) {
      context.Print(
          DryRunText(repair.plan, OptionsOf(context, request), context.width(), context.color()));
    }
    PrintText(context, repair);
  }
  return repair.lost.empty() ? 0 : ExitCode(ErrorCode::kFindings);
}

constexpr std::array<OptionSpec, 4> kOptions = {{
    {.name = "--reference",
     .value = "MODEL",
     .help = "A sound model of the same architecture and sizes: supplies config, tokenizer, names "
             "and shapes of what is missing",
     .completion = Completion::kPath},
    {.name = "--fill",
     .value = "WITH",
     .help = "What takes the place of lost tensors: zeros, or the reference's",
     .fallback = "they are left out",
     .choices = "zeros|reference"},
    {.name = "--shard-size",
     .value = "SIZE",
     .help = "Most bytes of tensors in one file of a folder",
     .fallback = "5GB"},
    {.name = "--dry-run",
     .help = "Show what can be saved, what would be written and what is lost; write nothing",
     .group = "Running"},
}};

OptionTable Options() {
  return kOptions;
}

constexpr std::array<Example, 5> kExamples = {
    {{"lbrx repair damaged mended --dry-run", "what can be saved, and what is lost"},
     {"lbrx repair damaged mended", "a sound folder with every tensor that is whole"},
     {"lbrx repair damaged mended --reference org/name --fill reference",
      "lost tensors, config and tokenizer from the model it was made of"},
     {"lbrx repair cut.safetensors whole.safetensors", "one file"},
     {"lbrx repair cut.gguf whole.gguf --reference other.gguf --fill reference",
      "a GGUF file, its lost tensors from another quantized alike"}}};
constexpr std::array<ArgumentSpec, 2> kArguments = {
    {{.name = "SRC",
      .help = "A damaged folder, .safetensors or .gguf file (any part of a split set); it is never "
              "written to"},
     {.name = "DST",
      .help =
          "What to write: a file if the name ends in .safetensors or SRC is a GGUF file, else a "
          "folder"}}};

}  // namespace

constinit const CommandInfo kRepairCommand = {
    .name = "repair",
    .summary = "Save what is whole of a damaged checkpoint",
    .details =
        "Every tensor whose bytes are there is copied as it is, NaN and all. Headers, offsets, "
        "index and config.json are rebuilt as far as they follow from what is left; nothing is "
        "guessed. The source is only read.\n\n"
        "Exit code 10 where anything is lost; the list says what, and why.",
    .examples = kExamples,
    .arguments = kArguments,
    .options = {Options, WritingOptions},
    .run = Run,
    .group = "Change checkpoints"};

}  // namespace lbrx
