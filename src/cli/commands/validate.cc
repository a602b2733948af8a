#include "cli/commands/check_run.h"
#include "cli/commands/commands.h"
#include "cli/formatters/text.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

constexpr size_t kLongestMessage = 4000;

const char* SeverityName(Severity severity) {
  return severity == Severity::kError ? "error" : "warning";
}

// Without file, object and offset, which stand beside it.
std::string ShortMessage(const ErrorDetail& detail) {
  ErrorDetail rest = detail;
  rest.file.clear();
  rest.object.clear();
  rest.offset.reset();
  return FormatMessage(rest);
}

Json ProblemJson(const Problem& problem) {
  const ErrorDetail& detail = problem.detail;
  const auto text = [](const std::string& value) {
    return value.empty() ? Json() : Json(Printable(value, kLongestMessage));
  };
  Json row = Json::MakeObject();
  row.Set("severity", SeverityName(problem.severity));
  row.Set("file", text(detail.file));
  row.Set("object", text(detail.object));
  row.Set("offset", detail.offset ? Json(*detail.offset) : Json());
  row.Set("message", ShortMessage(detail));
  return row;
}

struct Found {
  std::string format;
  std::vector<Problem> problems;
  uint64_t tensors = 0;
  bool opened = false;
};

Found Examine(Context& context, const std::string& path, bool deep) {
  Found found;
  CheckRun run(context);
  OpenOptions options;
  options.collect_problems = true;
  options.executor = &run.executor();
  try {
    const Checkpoint checkpoint = OpenCheckpoint(path, options);
    found.opened = true;
    found.format = checkpoint.format;
    found.tensors = checkpoint.tensors.size();
    found.problems =
        deep ? Validate(checkpoint, true, run.Start("validating", DataBytes(checkpoint)))
             : Validate(checkpoint, false, run.options());
  } catch (const Error& error) {
    // What is too damaged to be opened at all is one more finding; a missing file is not.
    if (error.code() != ErrorCode::kInvalid || found.opened) {
      throw;
    }
    found.problems.push_back({Severity::kError, error.detail()});
  }
  run.Finish();
  return found;
}

void PrintProblems(Context& context, const std::string& path, const Found& found, size_t errors) {
  for (const Problem& problem : found.problems) {
    const bool error = problem.severity == Severity::kError;
    context.Print(Paint(context.color(), error ? Style::kRed : Style::kYellow,
                        SeverityName(problem.severity)) +
                  ": " + FormatMessage(problem.detail) + "\n");
  }
  const size_t warnings = found.problems.size() - errors;
  std::string counts =
      errors == 0 ? "no errors" : Format("{} error{}", errors, errors == 1 ? "" : "s");
  if (warnings != 0) {
    counts += Format(", {} warning{}", warnings, warnings == 1 ? "" : "s");
  }
  if (found.opened) {
    counts += Format(" in {} tensors ({})", FormatCount(found.tensors), found.format);
  }
  context.Print(Format("{}: {}\n", Printable(path, kLongestMessage), counts));
}

int Run(Context& context) {
  const std::string& path = context.args().positionals()[0];
  const bool deep = context.args().Has("--deep");
  const Found found = Examine(context, path, deep);
  size_t errors = 0;
  Json problems = Json::MakeArray();
  for (const Problem& problem : found.problems) {
    errors += problem.severity == Severity::kError ? 1 : 0;
    problems.Append(ProblemJson(problem));
  }
  const bool bad = errors != 0 || (context.args().Has("--strict") && !found.problems.empty());
  if (context.json()) {
    context.PrintJson({{"path", path},
                       {"format", found.opened ? Json(found.format) : Json()},
                       {"deep", deep},
                       {"tensors", found.tensors},
                       {"valid", !bad},
                       {"problems", std::move(problems)}});
  } else {
    PrintProblems(context, path, found, errors);
  }
  return bad ? ExitCode(ErrorCode::kInvalid) : 0;
}

constexpr std::array<OptionSpec, 2> kOptions = {{
    {.name = "--deep", .help = "Read all data too: NaN, infinities, scales"},
    {.name = "--strict", .help = "Warnings count as errors"},
}};

OptionTable Options() {
  return kOptions;
}

constexpr std::array<Example, 2> kExamples = {
    {{"lbrx validate model-4bit", "structure, index, and config against shapes"},
     {"lbrx validate model-4bit --deep", "the data too"}}};
constexpr std::array<ArgumentSpec, 1> kArguments = {
    {{.name = "PATH",
      .help = "A folder, a .safetensors or torch file, or org/name in the Hugging Face cache"}}};

}  // namespace

constinit const CommandInfo kValidateCommand = {
    .name = "validate",
    .summary = "Find everything that is wrong with a checkpoint",
    .details = "Exit code 3 where something is, with every problem listed.",
    .examples = kExamples,
    .arguments = kArguments,
    .options = {Options, CheckingOptions},
    .run = Run,
    .group = "Look at checkpoints"};

}  // namespace lbrx
