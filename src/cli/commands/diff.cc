#include <cmath>

#include "cli/commands/check_run.h"
#include "cli/commands/commands.h"
#include "cli/formatters/table.h"
#include "cli/formatters/text.h"
#include "core/base/format.h"

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
Json Finite(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

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
  row.Set("max", compared ? Finite(diff.max_difference) : Json());
  row.Set("rmse", compared ? Finite(diff.rmse) : Json());
  row.Set("cosine", compared ? Finite(diff.cosine) : Json());
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

std::vector<TensorDiff> Compare(Context& context, const std::string& a, const std::string& b,
                                double tolerance) {
  CheckRun run(context);
  OpenOptions options;
  options.executor = &run.executor();
  const Checkpoint first = OpenCheckpoint(a, options);
  const Checkpoint second = OpenCheckpoint(b, options);
  std::vector<TensorDiff> diffs =
      Diff(first, second, tolerance, run.Start("comparing", DataBytes(first) + DataBytes(second)));
  run.Finish();
  return diffs;
}

void PrintText(Context& context, const std::vector<TensorDiff>& diffs, size_t different) {
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
  const std::vector<std::string>& paths = context.args().positionals();
  context.Print(Format("{} of {} tensors differ (A: {}, B: {})\n", FormatCount(different),
                       FormatCount(diffs.size()), Printable(paths[0], kLongestPath),
                       Printable(paths[1], kLongestPath)));
}

int Run(Context& context) {
  const std::vector<std::string>& paths = context.args().positionals();
  const double tolerance = context.args().Number("--tolerance").value_or(0);
  const std::vector<TensorDiff> diffs = Compare(context, paths[0], paths[1], tolerance);
  size_t different = 0;
  Json rows = Json::MakeArray();
  for (const TensorDiff& diff : diffs) {
    different += diff.kind == TensorDiff::Kind::kEqual ? 0 : 1;
    rows.Append(DiffRow(diff));
  }
  if (context.json()) {
    context.PrintJson({{"a", paths[0]},
                       {"b", paths[1]},
                       {"tolerance", tolerance},
                       {"equal", different == 0},
                       {"different", static_cast<uint64_t>(different)},
                       {"tensors", std::move(rows)}});
  } else {
    PrintText(context, diffs, different);
  }
  return different == 0 ? 0 : ExitCode(ErrorCode::kFindings);
}

constexpr std::array<OptionSpec, 1> kOptions = {{
    {.name = "--tolerance",
     .value = "X",
     .help = "Largest difference of a value that still counts as equal",
     .fallback = "0"},
}};

OptionTable Options() {
  return kOptions;
}

constexpr std::array<Example, 2> kExamples = {
    {{"lbrx diff model model-4bit", "how far the quantized values are from the original's"},
     {"lbrx diff a b --tolerance 1e-3", "small differences count as none"}}};
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
