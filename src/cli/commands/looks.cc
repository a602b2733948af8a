#include "cli/commands/looks.h"

#include <algorithm>
#include <array>

#include "cli/commands/own_file.h"
#include "convert/command.h"

namespace lbrx {
namespace {

uint64_t StoredBytes(const Checkpoint& checkpoint, const SourceTensor& tensor) {
  uint64_t bytes = 0;
  for (const uint32_t plane : tensor.planes) {
    bytes += checkpoint.arrays[plane].bytes;
  }
  return bytes;
}

uint64_t SourceBytesOf(const PlannedTensor& tensor) {
  uint64_t bytes = tensor.value == nullptr ? 0 : tensor.value->SourceBytes();
  for (const ValuePtr& copy : tensor.copies) {
    bytes += copy->SourceBytes();
  }
  return bytes;
}

void AddDiff(const TensorDiff& diff, Look& look) {
  const bool in_a = diff.kind != TensorDiff::Kind::kOnlyB;
  const bool in_b = diff.kind != TensorDiff::Kind::kOnlyA;
  LookRow& row = look.RowOf(diff.name, in_a ? diff.shape_a : diff.shape_b);
  if (in_a) {
    row.sides[0].Add(diff.shape_a.elements(), diff.bytes_a, diff.label_a);
  }
  if (in_b) {
    row.sides[1].Add(diff.shape_b.elements(), diff.bytes_b, diff.label_b);
  }
  row.error.Add({diff.count, diff.squared_error, diff.squared_value, diff.max_difference});
  if (!in_a || !in_b) {
    row.note = in_a ? "only in A" : "only in B";
  } else if (diff.kind == TensorDiff::Kind::kShape) {
    row.note = "B has " + diff.shape_b.ToString();
  }
}

// Of a merged tensor the method alone: what models and parameters it has differs by layer.
std::string SourceLabel(const ConvertRequest& request, const PlannedTensor& tensor) {
  return request.merge.is_null() ? tensor.source_label
                                 : tensor.source_label.substr(0, tensor.source_label.find(':'));
}

std::string TitleOf(const ConvertRequest& request) {
  if (!request.merge.is_null()) {
    return "Merge";
  }
  return request.command == "quantize" || request.scheme ? "Quantization" : "Conversion";
}

}  // namespace

bool IsPage(const std::string& path) {
  return path.ends_with(".html") || path.ends_with(".htm");
}

std::optional<std::string> PageAskedFor(const Context& context) {
  std::optional<std::string> page = context.args().Value("--report");
  if (page && !IsPage(*page)) {
    ErrorDetail detail;
    detail.object = "--report";
    detail.what = "this report is a page";
    detail.expected = "a name that ends in .html";
    detail.found = "'" + *page + "'";
    detail.advice = "--json gives the figures to programs";
    throw Error(ErrorCode::kUsage, std::move(detail));
  }
  if (page) {
    CheckOwnFile(*page, /*force=*/false);
  }
  return page;
}

std::string CommandText(const Context& context) {
  std::string text = "lbrx " + std::string(context.command().name);
  for (const std::string& argument : context.args().positionals()) {
    text += " " + QuotedForShell(argument);
  }
  const OptionTable global = GlobalOptions();
  for (const auto& [option, value] : context.args().given()) {
    const std::string name(option->name);
    const bool decides =
        option->group != "Running" && name != "--report" &&
        std::none_of(global.begin(), global.end(),
                     [&name](const OptionSpec& other) { return other.name == name; });
    if (decides) {
      text += " " + name + (value.empty() ? "" : " " + QuotedForShell(value));
    }
  }
  return text;
}

PictureStyle PictureStyleOf(const Context& context) {
  return {context.width(), context.color(), context.utf8()};
}

Look LookOfTensors(const Checkpoint& checkpoint, const std::vector<size_t>& chosen) {
  Look look;
  look.title = "Checkpoint";
  look.sides = 1;
  for (const size_t index : chosen) {
    const SourceTensor& tensor = checkpoint.tensors[index];
    look.RowOf(tensor.name, tensor.shape)
        .sides[0]
        .Add(tensor.shape.elements(), StoredBytes(checkpoint, tensor),
             SchemeLabel(tensor.encoding));
  }
  return look;
}

Look LookOfDiffs(const std::vector<TensorDiff>& diffs) {
  Look look;
  look.title = "Comparison";
  look.sides = 2;
  look.names = {"A", "B"};
  for (const TensorDiff& diff : diffs) {
    AddDiff(diff, look);
  }
  return look;
}

Look LookOfRun(const Plan& plan, const ConvertRequest& request, const RunResult& result) {
  Look look;
  look.title = TitleOf(request);
  look.sides = 2;
  look.names = {"before", "after"};
  if (!request.merge.is_null()) {
    look.names = {"models", "result"};
  }
  look.paths = {request.source, request.destination};
  look.notices = plan.notices;
  if (result.resumed_bytes != 0 || result.finished_before) {
    look.notices.emplace_back(
        "The run went on from an earlier one; the pictures of values show what it did itself.");
  }
  for (size_t i = 0; i < plan.tensors.size(); ++i) {
    const PlannedTensor& tensor = plan.tensors[i];
    LookRow& row = look.RowOf(tensor.output.name, tensor.output.shape);
    uint64_t bytes = 0;
    for (const OutputPlane& plane : tensor.output.planes) {
      bytes += plane.bytes;
    }
    const uint64_t elements = tensor.output.shape.elements();
    row.sides[0].Add(elements, SourceBytesOf(tensor), SourceLabel(request, tensor));
    row.sides[1].Add(elements, bytes, SchemeLabel(tensor.output.encoding));
    if (i < result.errors.size()) {
      row.error.Add(result.errors[i]);
    }
  }
  return look;
}

HistogramWatch::HistogramWatch(const Plan& plan) {
  PlaceList places;
  for (const PlannedTensor& tensor : plan.tensors) {
    place_of_.push_back(places.Add(tensor.output.name));
  }
  for (std::vector<Distribution>& sums : sums_) {
    sums.resize(places.places().size());
  }
}

void HistogramWatch::Observe(size_t tensor, std::span<const float> values,
                             std::span<const float> decoded) {
  std::array<Distribution, 3> parts;
  parts[0].Add(values);
  parts[1].Add(decoded);
  parts[2].AddDifferences(decoded, values);
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < parts.size(); ++i) {
    sums_[i][place_of_[tensor]].histogram.Add(parts[i].histogram);
  }
}

void HistogramWatch::MoveInto(Look& look) {
  look.values = {std::move(sums_[0]), std::move(sums_[1])};
  look.errors = std::move(sums_[2]);
}

}  // namespace lbrx
