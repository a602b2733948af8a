#include "cli/commands/check_run.h"
#include "cli/commands/commands.h"
#include "cli/commands/looks.h"
#include "cli/commands/own_file.h"
#include "cli/formatters/figures.h"
#include "cli/formatters/html_report.h"
#include "cli/formatters/table.h"
#include "cli/formatters/text.h"
#include "core/base/format.h"
#include "model/open_model.h"

namespace lbrx {
namespace {

constexpr size_t kLongestPath = 4096;

const char* KindName(TensorDiff::Kind kind) {
  switch (kind) {
    case TensorDiff::Kind::kEqual:
      return "equal";
    case TensorDiff::Kind::kDiffers:
      return "differs";
    case TensorDiff::Kind::kShape:
      return "shape";
    case TensorDiff::Kind::kOnlyA:
      return "only in A";
    case TensorDiff::Kind::kOnlyB:
      return "only in B";
  }
  return "";
}

// Null where JSON has no number for it.
Json DiffRow(const TensorDiff& diff) {
  const bool in_a = diff.kind != TensorDiff::Kind::kOnlyB;
  const bool in_b = diff.kind != TensorDiff::Kind::kOnlyA;
  const bool compared =
      diff.kind == TensorDiff::Kind::kEqual || diff.kind == TensorDiff::Kind::kDiffers;
  const auto shape = [](const Shape& dims) {
    Json list = Json::MakeArray();
    for (const uint64_t dim : dims.dims()) {
      list.Append(dim);
    }
    return list;
  };
  Json row = Json::MakeObject();
  row.Set("name", diff.name);
  row.Set("kind", KindName(diff.kind));
  row.Set("shape_a", in_a ? shape(diff.shape_a) : Json());
  row.Set("shape_b", in_b ? shape(diff.shape_b) : Json());
  row.Set("scheme_a", in_a ? Json(diff.label_a) : Json());
  row.Set("scheme_b", in_b ? Json(diff.label_b) : Json());
  row.Set("max", compared ? FiniteJson(diff.max_difference) : Json());
  row.Set("rmse", compared ? FiniteJson(diff.rmse) : Json());
  row.Set("cosine", compared ? FiniteJson(diff.cosine) : Json());
  return row;
}

std::vector<std::string> DiffCells(const TensorDiff& diff) {
  std::vector<std::string> cells{Printable(diff.name), KindName(diff.kind), diff.label_a,
                                 diff.label_b};
  if (diff.kind == TensorDiff::Kind::kDiffers) {
    cells.push_back(Format("{:.3g}", diff.max_difference));
    cells.push_back(Format("{:.3g}", diff.rmse));
    cells.push_back(Format("{:.6f}", diff.cosine));
  } else if (diff.kind == TensorDiff::Kind::kShape) {
    cells.push_back(diff.shape_a.ToString());
    cells.push_back(diff.shape_b.ToString());
  }
  return cells;
}

// What comparing gave; with the distributions, where asked for.
struct Comparison {
  std::vector<TensorDiff> diffs;
  Look look;
};

Comparison Compare(Context& context, double tolerance, bool with_distributions) {
  const std::vector<std::string>& paths = context.args().positionals();
  CheckRun run(context);
  OpenOptions options;
  options.executor = &run.executor();
  const Checkpoint first = OpenModel(paths[0], options);
  const Checkpoint second = OpenModel(paths[1], options);
  DiffPictures pictures;
  Comparison out;
  out.diffs =
      Diff(first, second, tolerance, run.Start("comparing", DataBytes(first) + DataBytes(second)),
           with_distributions ? &pictures : nullptr);
  run.Finish();
  out.look = LookOfDiffs(out.diffs);
  out.look.paths = {paths[0], paths[1]};
  out.look.command = CommandText(context);
  out.look.values = {std::move(pictures.a), std::move(pictures.b)};
  out.look.errors = std::move(pictures.error);
  return out;
}

// On a terminal the error over the layers; with --histograms how the errors are spread.
void PrintPictures(Context& context, const Look& look) {
  const PictureStyle style = PictureStyleOf(context);
  const std::string strips = ErrorStrips(look, style);
  context.Print(strips.empty() ? "" : "\n" + strips + "\n");
  if (context.args().Has("--histograms")) {
    context.Print("\nerrors, B less A\n" + ErrorDistributionText(look, style) + "\n");
  }
}

void PrintText(Context& context, const Comparison& comparison, size_t different) {
  const std::vector<TensorDiff>& diffs = comparison.diffs;
  if (different != 0) {
    Table table({{"tensor"},
                 {""},
                 {"A"},
                 {"B"},
                 {"max", Table::Align::kRight},
                 {"rmse", Table::Align::kRight},
                 {"cosine", Table::Align::kRight}});
    for (const TensorDiff& diff : diffs) {
      if (diff.kind != TensorDiff::Kind::kEqual) {
        table.AddRow(DiffCells(diff));
      }
    }
    context.Print(table.ToString(context.width(), context.color()));
  }
  PrintPictures(context, comparison.look);
  const std::vector<std::string>& paths = context.args().positionals();
  context.Print(Format("{} of {} tensors differ (A: {}, B: {})\n", FormatCount(different),
                       FormatCount(diffs.size()), Printable(paths[0], kLongestPath),
                       Printable(paths[1], kLongestPath)));
}

int Run(Context& context) {
  const std::vector<std::string>& paths = context.args().positionals();
  const std::optional<std::string> page = PageAskedFor(context);
  const bool histograms = context.args().Has("--histograms");
  const double tolerance = context.args().Number("--tolerance").value_or(0);
  const Comparison comparison = Compare(context, tolerance, histograms || page);
  size_t different = 0;
  Json rows = Json::MakeArray();
  for (const TensorDiff& diff : comparison.diffs) {
    different += diff.kind == TensorDiff::Kind::kEqual ? 0 : 1;
    rows.Append(DiffRow(diff));
  }
  if (page) {
    WriteOwnFile(*page, /*force=*/false, HtmlReport(comparison.look));
  }
  if (context.json()) {
    Json::Object members{{"a", paths[0]},
                         {"b", paths[1]},
                         {"tolerance", tolerance},
                         {"equal", different == 0},
                         {"different", static_cast<uint64_t>(different)},
                         {"tensors", std::move(rows)}};
    if (histograms) {
      members.emplace_back("distributions", DistributionsJson(comparison.look));
    }
    context.PrintJson(std::move(members));
  } else {
    PrintText(context, comparison, different);
  }
  return different == 0 ? 0 : ExitCode(ErrorCode::kFindings);
}

constexpr std::array<OptionSpec, 3> kOptions = {{
    {.name = "--tolerance",
     .value = "X",
     .help = "Largest difference of a value that still counts as equal",
     .fallback = "0"},
    {.name = "--histograms",
     .help = "How the errors are spread, by layer and kind of tensor: drawn on a terminal, figures "
             "elsewhere"},
    kPageOption,
}};

OptionTable Options() {
  return kOptions;
}

constexpr std::array<Example, 4> kExamples = {
    {{"lbrx diff model model-4bit", "how far the quantized values are from the original's"},
     {"lbrx diff a b --tolerance 1e-3", "small differences count as none"},
     {"lbrx diff model model-4bit --histograms", "how the errors of each layer are spread"},
     {"lbrx diff model model-4bit --report diff.html", "bits and errors as a page with pictures"}}};
constexpr std::array<ArgumentSpec, 2> kArguments = {
    {{.name = "A", .help = "A checkpoint"}, {.name = "B", .help = "Another one"}}};

}  // namespace

constinit const CommandInfo kDiffCommand = {
    .name = "diff",
    .summary = "Compare the values of two checkpoints",
    .details =
        "Tensors are compared by Hugging Face name, decoded to values, whatever the "
        "containers. Exit code 10 where they differ.",
    .examples = kExamples,
    .arguments = kArguments,
    .options = {Options, CheckingOptions},
    .run = Run,
    .group = "Look at checkpoints"};

}  // namespace lbrx
