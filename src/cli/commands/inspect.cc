#include <algorithm>

#include "cli/commands/check_run.h"
#include "cli/commands/commands.h"
#include "cli/commands/looks.h"
#include "cli/commands/own_file.h"
#include "cli/formatters/csv.h"
#include "cli/formatters/gguf_keys.h"
#include "cli/formatters/html_report.h"
#include "cli/formatters/table.h"
#include "cli/formatters/text.h"
#include "core/base/format.h"
#include "core/text/regex.h"

namespace lbrx {
namespace {

constexpr size_t kLongestPath = 4096;
constexpr size_t kLongestName = 1000;

uint64_t BytesOf(const Checkpoint& checkpoint, const SourceTensor& tensor) {
  uint64_t bytes = 0;
  for (const uint32_t plane : tensor.planes) {
    bytes += checkpoint.arrays[plane].bytes;
  }
  return bytes;
}

const StoredArray& MainArray(const Checkpoint& checkpoint, const SourceTensor& tensor) {
  return checkpoint.arrays[tensor.planes[0]];
}

std::string FileName(const Checkpoint& checkpoint, const SourceTensor& tensor) {
  return BaseName(checkpoint.files[MainArray(checkpoint, tensor).file].path);
}

using Selected = std::vector<const SourceTensor*>;

// The tensors to list: those that --filter lets through, in the order of --sort.
Selected Select(const Context& context, const Checkpoint& checkpoint) {
  Selected chosen;
  const std::optional<std::string> pattern = context.args().Value("--filter");
  std::optional<Regex> regex;
  if (pattern) {
    regex.emplace(*pattern);
  }
  for (const SourceTensor& tensor : checkpoint.tensors) {
    if (!regex || regex->Search(tensor.name)) {
      chosen.push_back(&tensor);
    }
  }
  const std::string order = context.args().ValueOr("--sort", "name");
  if (order == "size") {
    std::stable_sort(chosen.begin(), chosen.end(), [&](const auto* a, const auto* b) {
      return BytesOf(checkpoint, *a) > BytesOf(checkpoint, *b);
    });
  } else if (order == "dtype") {
    std::stable_sort(chosen.begin(), chosen.end(), [](const auto* a, const auto* b) {
      return SchemeLabel(a->encoding) < SchemeLabel(b->encoding);
    });
  }
  return chosen;
}

Json TensorJson(const Checkpoint& checkpoint, const SourceTensor& tensor) {
  const StoredArray& array = MainArray(checkpoint, tensor);
  Json shape = Json::MakeArray();
  for (const uint64_t dim : tensor.shape.dims()) {
    shape.Append(dim);
  }
  Json row = Json::MakeObject();
  row.Set("name", tensor.name);
  row.Set("dtype", Name(tensor.encoding.dtype));
  row.Set("shape", std::move(shape));
  row.Set("bytes", BytesOf(checkpoint, tensor));
  row.Set("scheme", SchemeLabel(tensor.encoding));
  row.Set("file", FileName(checkpoint, tensor));
  row.Set("offset", array.offset);
  return row;
}

Json SchemesJson(const Summary& summary) {
  Json rows = Json::MakeArray();
  for (const Summary::SchemeShare& share : summary.schemes) {
    Json row = Json::MakeObject();
    row.Set("scheme", share.label);
    row.Set("tensors", share.tensors);
    row.Set("parameters", share.parameters);
    row.Set("bytes", share.bytes);
    rows.Append(std::move(row));
  }
  return rows;
}

// What was found out about a checkpoint.
struct Findings {
  const Checkpoint& checkpoint;
  Summary summary;
  Selected selected;
  std::optional<Look> look;  // where values were asked for
};

// Reads the values of the selected tensors.
Look LookAt(Context& context, CheckRun& run, const Checkpoint& checkpoint,
            const Selected& selected) {
  std::vector<size_t> chosen;
  for (const SourceTensor* tensor : selected) {
    chosen.push_back(static_cast<size_t>(tensor - checkpoint.tensors.data()));
  }
  std::vector<size_t> place_of(checkpoint.tensors.size(), kNoGroup);
  PlaceList places;
  for (const size_t index : chosen) {
    place_of[index] = places.Add(checkpoint.tensors[index].name);
  }
  Look look = LookOfTensors(checkpoint, chosen);
  look.paths[0] = context.args().positionals()[0];
  look.command = CommandText(context);
  const CheckOptions& options = run.Start("reading", DataBytes(checkpoint));
  look.values[0] = Distributions(checkpoint, place_of, places.places().size(), options);
  run.Finish();
  return look;
}

void PrintAsJson(Context& context, const Findings& findings) {
  const auto& [checkpoint, summary, selected, look] = findings;
  Json tensors = Json::MakeArray();
  for (const SourceTensor* tensor : selected) {
    tensors.Append(TensorJson(checkpoint, *tensor));
  }
  Json metadata = Json::MakeObject();
  for (const auto& [key, value] : checkpoint.metadata) {
    metadata.Set(key, value);
  }
  Json problems = Json::MakeArray();
  for (const Problem& problem : checkpoint.problems) {
    problems.Append(FormatMessage(problem.detail));
  }
  const Json* quantization = checkpoint.config.Find("quantization");
  Json::Object members{
      {"path", context.args().positionals()[0]},
      {"format", checkpoint.format},
      {"reason", checkpoint.reason},
      {"architecture", summary.architecture.empty() ? Json() : Json(summary.architecture)},
      {"parameters", summary.parameters},
      {"bytes", summary.bytes},
      {"bits_per_weight", summary.bits_per_weight},
      {"quantization", quantization == nullptr ? Json() : *quantization},
      {"schemes", SchemesJson(summary)},
      {"files", static_cast<uint64_t>(checkpoint.files.size())},
      {"metadata", std::move(metadata)},
      {"problems", std::move(problems)},
      {"tensors", std::move(tensors)}};
  if (checkpoint.gguf != nullptr) {
    members.emplace_back("keys", GgufKeysJson(*checkpoint.gguf));
    members.emplace_back("tokenizer", GgufTokenizerJson(*checkpoint.gguf));
  }
  if (look && context.args().Has("--histograms")) {
    members.emplace_back("distributions", DistributionsJson(*look));
  }
  context.PrintJson(std::move(members));
}

void PrintAsCsv(Context& context, const Checkpoint& checkpoint, const Selected& selected) {
  const std::array<std::string, 7> header = {"name",   "dtype", "shape", "bytes",
                                             "scheme", "file",  "offset"};
  context.Print(CsvRow(header));
  for (const SourceTensor* tensor : selected) {
    std::string shape;
    for (const uint64_t dim : tensor->shape.dims()) {
      shape += (shape.empty() ? "" : "x") + std::to_string(dim);
    }
    const std::array<std::string, 7> row = {Printable(tensor->name, kLongestName),
                                            std::string(Name(tensor->encoding.dtype)),
                                            shape,
                                            std::to_string(BytesOf(checkpoint, *tensor)),
                                            SchemeLabel(tensor->encoding),
                                            Printable(FileName(checkpoint, *tensor), kLongestPath),
                                            std::to_string(MainArray(checkpoint, *tensor).offset)};
    context.Print(CsvRow(row));
  }
}

void PrintTensors(Context& context, const Checkpoint& checkpoint, const Selected& selected) {
  Table table({{"tensor"}, {"scheme"}, {"shape"}, {"bytes", Table::Align::kRight}, {"file"}});
  for (const SourceTensor* tensor : selected) {
    table.AddRow({Printable(tensor->name), SchemeLabel(tensor->encoding), tensor->shape.ToString(),
                  FormatCount(BytesOf(checkpoint, *tensor)),
                  Printable(FileName(checkpoint, *tensor), kLongestPath)});
  }
  context.Print("\n" + table.ToString(context.width(), context.color()));
}

// What a GGUF file says of its model.
void PrintKeys(Context& context, const GgufKeys& keys) {
  Table table({{"key"}, {"type"}, {"value"}});
  for (const auto& [key, value] : keys.entries()) {
    table.AddRow({Printable(key), GgufTypeText(value), GgufValueText(value)});
  }
  context.Print("\n" + table.ToString(context.width(), context.color()));
}

std::string SchemeText(const Summary& summary) {
  std::string text;
  for (const Summary::SchemeShare& share : summary.schemes) {
    text += (text.empty() ? "" : ", ") +
            Format("{} ({} tensor{}, {})", share.label, FormatCount(share.tensors),
                   share.tensors == 1 ? "" : "s", FormatBytes(share.bytes));
  }
  return text;
}

// The folder as a tree: what is in it, with sizes.
void PrintTree(Context& context, const Checkpoint& checkpoint) {
  if (checkpoint.folder.empty()) {
    return;
  }
  Table table({{""}, {"", Table::Align::kRight}});
  for (const DataFile& file : checkpoint.files) {
    table.AddRow(
        {"  " + Printable(BaseName(file.path), kLongestPath), FormatBytes(file.fingerprint.size)});
  }
  for (const SideFile& file : checkpoint.side_files) {
    table.AddRow({"  " + Printable(file.name, kLongestPath), FormatBytes(file.bytes)});
  }
  context.Print(table.ToString(context.width(), context.color()));
}

void PrintAsText(Context& context, const Findings& findings) {
  const auto& [checkpoint, summary, selected, look] = findings;
  const std::string path = Printable(context.args().positionals()[0], kLongestPath);
  context.Print(Paint(context.color(), Style::kBold, path) + "\n");
  PrintTree(context, checkpoint);
  std::vector<std::pair<std::string, std::string>> lines{
      {"format", checkpoint.format + " (" + Printable(checkpoint.reason, kLongestName) + ")"}};
  if (!summary.architecture.empty()) {
    lines.emplace_back("architecture", Printable(summary.architecture));
  }
  lines.emplace_back("tensors", FormatCount(checkpoint.tensors.size()));
  lines.emplace_back("parameters", FormatCount(summary.parameters));
  lines.emplace_back("bytes", Format("{} ({} of tensors in {} file{})", FormatCount(summary.bytes),
                                     FormatBytes(summary.bytes), checkpoint.files.size(),
                                     checkpoint.files.size() == 1 ? "" : "s"));
  lines.emplace_back("bits/weight", Format("{:.2f}", summary.bits_per_weight));
  lines.emplace_back("schemes", SchemeText(summary));
  if (checkpoint.gguf != nullptr) {
    if (std::string tokenizer = GgufTokenizerText(*checkpoint.gguf); !tokenizer.empty()) {
      lines.emplace_back("tokenizer", std::move(tokenizer));
    }
  }
  context.Print(NameValueLines(lines, context.width(), context.color()));
  if (checkpoint.gguf != nullptr && !checkpoint.gguf->entries().empty()) {
    PrintKeys(context, *checkpoint.gguf);
  }
  if (context.args().Has("--tensors") || context.args().Has("--filter") ||
      context.args().Has("--sort")) {
    PrintTensors(context, checkpoint, selected);
  }
  if (look && context.args().Has("--histograms")) {
    context.Print("\n" + DistributionText(*look, PictureStyleOf(context)));
  }
}

// Tells what opening found wrong; true: the checkpoint is damaged.
bool TellProblems(Context& context, const Checkpoint& checkpoint) {
  bool damaged = false;
  for (const Problem& problem : checkpoint.problems) {
    if (problem.severity == Severity::kError) {
      damaged = true;
      context.ReportError(Error(ErrorCode::kInvalid, problem.detail));
    } else {
      context.Warning(FormatMessage(problem.detail));
    }
  }
  return damaged;
}

int Run(Context& context) {
  const std::optional<std::string> page = PageAskedFor(context);
  CheckRun run(context);
  OpenOptions options;
  options.collect_problems = true;
  options.executor = &run.executor();
  const Checkpoint checkpoint = OpenCheckpoint(context.args().positionals()[0], options);
  Findings findings{checkpoint, Summarize(checkpoint), Select(context, checkpoint), {}};
  const bool damaged = TellProblems(context, checkpoint);
  if (page || context.args().Has("--histograms")) {
    findings.look = LookAt(context, run, checkpoint, findings.selected);
  }
  if (page) {
    WriteOwnFile(*page, /*force=*/false, HtmlReport(*findings.look));
  }
  if (context.json()) {
    PrintAsJson(context, findings);
  } else if (context.args().Has("--csv")) {
    PrintAsCsv(context, checkpoint, findings.selected);
  } else {
    PrintAsText(context, findings);
  }
  return damaged ? ExitCode(ErrorCode::kInvalid) : 0;
}

constexpr std::array<OptionSpec, 6> kOptions = {{
    {.name = "--tensors", .help = "List the tensors"},
    {.name = "--filter", .value = "REGEX", .help = "List only tensors whose name matches"},
    {.name = "--sort",
     .value = "KEY",
     .help = "Order of the list",
     .fallback = "name",
     .choices = "name|size|dtype"},
    {.name = "--csv", .help = "The list as CSV", .conflicts = "--json"},
    {.name = "--histograms",
     .help = "How the values are spread, by layer and kind of tensor: drawn on a terminal, figures "
             "elsewhere; reads all data",
     .conflicts = "--csv"},
    kPageOption,
}};

OptionTable Options() {
  return kOptions;
}

constexpr std::array<Example, 5> kExamples = {
    {{"lbrx inspect model", "what it is, and how large"},
     {"lbrx inspect model --filter 'layers\\.0\\.' --sort size", "the tensors of one layer"},
     {"lbrx inspect model --csv > tensors.csv", "all tensors for a spreadsheet"},
     {"lbrx inspect model --histograms", "how the values of each layer are spread"},
     {"lbrx inspect model --report model.html", "the same as a page with pictures"}}};
constexpr std::array<ArgumentSpec, 1> kArguments = {
    {{.name = "PATH",
      .help =
          "A folder, a .safetensors, .gguf or torch file, or org/name in the Hugging Face cache"}}};

}  // namespace

constinit const CommandInfo kInspectCommand = {
    .name = "inspect",
    .summary = "Show what a checkpoint is and holds",
    .details = "Only headers are read, whatever the size, unless values are asked for.",
    .examples = kExamples,
    .arguments = kArguments,
    .options = {Options, CheckingOptions},
    .run = Run,
    .group = "Look at checkpoints"};

}  // namespace lbrx
