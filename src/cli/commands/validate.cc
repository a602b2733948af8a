#include <cmath>

#include "check/manifest.h"
#include "cli/commands/against.h"
#include "cli/commands/check_run.h"
#include "cli/commands/commands.h"
#include "cli/formatters/text.h"
#include "core/base/format.h"
#include "model/open_model.h"

namespace lbrx {
namespace {

constexpr size_t kLongestMessage = 4000;
constexpr uint64_t kManifestLimit = uint64_t{256} << 20;

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
  std::optional<AgainstResult> against;

  void Add(std::vector<Problem> more) {
    problems.insert(problems.end(), std::make_move_iterator(more.begin()),
                    std::make_move_iterator(more.end()));
  }
};

// What --manifest says; a damaged one is a problem and says nothing.
std::optional<Manifest> ReadManifest(const std::string& file, Found& found) {
  try {
    return ParseManifest(ReadWholeFile(file, kManifestLimit), file);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalid) {
      throw;
    }
    found.problems.push_back({Severity::kError, error.detail()});
    return std::nullopt;
  }
}

class Examination {
 public:
  Examination(Context& context, const std::string& path)
      : context_(context), path_(path), run_(context) {}

  Found Make() {
    const std::optional<std::string> manifest = context_.args().Value("--manifest");
    if (manifest) {
      manifest_ = ReadManifest(*manifest, found_);
    }
    options_.collect_problems = true;
    options_.executor = &run_.executor();
    try {
      const Checkpoint checkpoint = OpenCheckpoint(path_, options_);
      found_.opened = true;
      Examine(checkpoint);
    } catch (const Error& error) {
      // What is too damaged to be opened at all is one more finding; a missing file is not.
      if (error.code() != ErrorCode::kInvalid || found_.opened) {
        throw;
      }
      found_.problems.push_back({Severity::kError, error.detail()});
      if (manifest_) {
        found_.Add(CompareFiles(*manifest_, path_, run_.options()));
      }
    }
    return std::move(found_);
  }

 private:
  void Examine(const Checkpoint& checkpoint) {
    found_.format = checkpoint.format;
    found_.tensors = checkpoint.tensors.size();
    const bool deep = context_.args().Has("--deep");
    found_.Add(deep ? Validate(checkpoint, true, run_.Start("validating", DataBytes(checkpoint)))
                    : Validate(checkpoint, false, run_.options()));
    run_.Finish();
    if (manifest_) {
      found_.Add(CompareWithManifest());
      run_.Finish();
    }
    if (context_.args().Has("--against")) {
      found_.against = CompareAgainst(context_, checkpoint, path_, run_.executor());
      found_.Add(found_.against->found.problems);
      found_.Add(found_.against->warnings);
    }
  }

  std::vector<Problem> CompareWithManifest() {
    const std::string file = *context_.args().Value("--manifest");
    const Checkpoint checkpoint = OpenModel(path_, options_);  // names need a configuration
    const CheckOptions& options = run_.Start("hashing", ManifestReads(checkpoint));
    std::vector<Problem> unhashed;
    try {
      return CompareManifests(*manifest_, MakeManifest(checkpoint, file, options), path_);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kInvalid) {
        throw;
      }
      unhashed = {{Severity::kError, error.detail()}};  // tensors whose parts do not fit
    }
    for (Problem& problem : CompareFiles(*manifest_, path_, options)) {
      unhashed.push_back(std::move(problem));
    }
    return unhashed;
  }

  Context& context_;
  const std::string& path_;
  CheckRun run_;
  OpenOptions options_;
  Found found_;
  std::optional<Manifest> manifest_;
};

Json DifferencesJson(const std::vector<PlaneDifference>& differences) {
  Json rows = Json::MakeArray();
  for (const PlaneDifference& each : differences) {
    const bool finite = std::isfinite(each.max_difference);
    rows.Append(Json::Object{{"tensor", each.tensor},
                             {"plane", each.plane},
                             {"file", each.file},
                             {"offset", each.offset},
                             {"bytes", each.bytes},
                             {"of", each.size},
                             {"max_difference", finite ? Json(each.max_difference) : Json()}});
  }
  return rows;
}

Json AgainstJson(const std::string& source, const AgainstResult& result) {
  return Json::Object{{"source", source},
                      {"tensors_compared", result.found.compared},
                      {"tensors", result.found.tensors},
                      {"bytes_compared", result.found.bytes},
                      {"differences", DifferencesJson(result.found.differences)},
                      {"hint", result.hint.empty() ? Json() : Json(result.hint)}};
}

// How many tensors differ; their planes' rows lie behind one another.
std::string Outcome(const Verification& found) {
  size_t tensors = 0;
  const std::string* last = nullptr;
  for (const PlaneDifference& each : found.differences) {
    tensors += last == nullptr || *last != each.tensor ? 1 : 0;
    last = &each.tensor;
  }
  return tensors == 0 ? "no byte differs"
                      : Format("{} {}", FormatCount(tensors), tensors == 1 ? "differs" : "differ");
}

void PrintAgainst(Context& context, const std::string& source, const AgainstResult& result) {
  if (!result.hint.empty()) {
    context.Print(Format("hint: {}\n", result.hint));
  }
  context.Print(Format("{} of {} tensors compared with what {} gives ({}): {}\n",
                       FormatCount(result.found.compared), FormatCount(result.found.tensors),
                       Printable(source, kLongestMessage), FormatBytes(result.found.bytes),
                       Outcome(result.found)));
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
  const ParsedArgs& args = context.args();
  RequireAgainst(args);
  const std::string& path = args.positionals()[0];
  const Found found = Examination(context, path).Make();
  size_t errors = 0;
  Json problems = Json::MakeArray();
  for (const Problem& problem : found.problems) {
    errors += problem.severity == Severity::kError ? 1 : 0;
    problems.Append(ProblemJson(problem));
  }
  const bool bad = errors != 0 || (args.Has("--strict") && !found.problems.empty());
  const std::string source = args.ValueOr("--against", "");
  if (context.json()) {
    Json::Object result = {{"path", path},
                           {"format", found.opened ? Json(found.format) : Json()},
                           {"deep", args.Has("--deep")},
                           {"tensors", found.tensors},
                           {"valid", !bad},
                           {"problems", std::move(problems)}};
    if (found.against) {
      result.emplace_back("against", AgainstJson(source, *found.against));
    }
    context.PrintJson(std::move(result));
  } else {
    PrintProblems(context, path, found, errors);
    if (found.against) {
      PrintAgainst(context, source, *found.against);
    }
  }
  return bad ? ExitCode(ErrorCode::kInvalid) : 0;
}

constexpr std::array<OptionSpec, 3> kOptions = {{
    {.name = "--deep", .help = "Read all data too: NaN, infinities, scales"},
    {.name = "--strict", .help = "Warnings count as errors"},
    {.name = "--manifest",
     .value = "FILE",
     .help = "Hash everything and compare with what lbrx hash --manifest FILE wrote",
     .completion = Completion::kPath},
}};

OptionTable Options() {
  return kOptions;
}

constexpr std::array<Example, 5> kExamples = {
    {{"lbrx validate model-4bit", "structure, index, and config against shapes"},
     {"lbrx validate model-4bit --deep", "the data too"},
     {"lbrx validate model-4bit --against model",
      "quantize a sample of tensors again and compare every byte"},
     {"lbrx validate merged.gguf --against ties.yml --all --imatrix imatrix.gguf",
      "all tensors of a merge"},
     {"lbrx validate model-4bit --manifest model-4bit.manifest.json",
      "what lbrx hash --manifest wrote"}}};
constexpr std::array<ArgumentSpec, 1> kArguments = {
    {{.name = "PATH",
      .help = "A folder, a .safetensors or torch file, or org/name in the Hugging Face cache"}}};

}  // namespace

constinit const CommandInfo kValidateCommand = {
    .name = "validate",
    .summary = "Find everything that is wrong with a checkpoint",
    .details =
        "Exit code 3 where something is, with every problem listed.\n\n"
        "--against makes the plan of the conversion again and computes tensors without writing "
        "them. PATH shows its kind, its tensors' schemes and --dtype; what it does not show is "
        "given as it was to convert, quantize or merge. With -q or another option that chooses "
        "schemes, PATH must have those. What differs in config.json, GGUF keys and small files is "
        "a warning.\n\n"
        "--manifest finds what changed since the manifest was written: tensors, whatever file they "
        "are in, and files. Where all tensors agree and lie in other files than they did, that "
        "is a warning.",
    .examples = kExamples,
    .arguments = kArguments,
    .options = {Options, CheckingOptions, AgainstOptions},
    .run = Run,
    .group = "Look at checkpoints"};

}  // namespace lbrx
