#include "cli/commands/write_report.h"

#include <map>

#include "cli/formatters/figures.h"
#include "cli/formatters/table.h"
#include "cli/formatters/text.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

uint64_t BytesOf(const OutputTensor& tensor) {
  uint64_t bytes = 0;
  for (const OutputPlane& plane : tensor.planes) {
    bytes += plane.bytes;
  }
  return bytes;
}

double BitsOf(const OutputTensor& tensor) {
  const uint64_t elements = tensor.shape.elements();
  return elements == 0 ? 0
                       : static_cast<double>(BytesOf(tensor)) * 8 / static_cast<double>(elements);
}

double BitsPerWeight(const Plan& plan) {
  uint64_t bytes = 0;
  uint64_t elements = 0;
  for (const PlannedTensor& tensor : plan.tensors) {
    bytes += BytesOf(tensor.output);
    elements += tensor.output.shape.elements();
  }
  return elements == 0 ? 0 : static_cast<double>(bytes) * 8 / static_cast<double>(elements);
}

Json Notices(const Plan& plan) {
  Json notices = Json::MakeArray();
  for (const std::string& notice : plan.notices) {
    notices.Append(notice);
  }
  return notices;
}

Json TensorReport(const OutputTensor& tensor, const ErrorSums* errors) {
  Json row = Json::MakeObject();
  row.Set("name", tensor.name);
  row.Set("scheme", SchemeLabel(tensor.encoding));
  row.Set("bits", BitsOf(tensor));
  row.Set("bytes", BytesOf(tensor));
  // Null: the tensor is not quantized, so there is nothing to measure.
  const bool measured = errors != nullptr && errors->count != 0;
  row.Set("rmse", measured ? FiniteJson(errors->Rmse()) : Json());
  row.Set("relative_error", measured ? FiniteJson(errors->RelativeError()) : Json());
  row.Set("max_error", measured ? FiniteJson(errors->max_error) : Json());
  row.Set("snr_db", measured ? FiniteJson(errors->SnrDecibel()) : Json());
  return row;
}

// What the tensors whose scheme was chosen lose by it, by name; empty where none was chosen.
std::map<std::string, double> ChosenErrors(const Plan& plan) {
  std::map<std::string, double> errors;
  if (const Json* choices = plan.request.Find("choices")) {
    for (const Json& choice : choices->AsArray()) {
      errors[choice.Find("tensor")->AsString()] = choice.Find("squared_error")->AsDouble();
    }
  }
  return errors;
}

}  // namespace

std::string DryRunText(const Plan& plan, const RunOptions& options, int width, bool color) {
  const std::map<std::string, double> errors = ChosenErrors(plan);
  std::vector<Table::Column> columns = {{"tensor"},
                                        {"shape"},
                                        {"source"},
                                        {"target"},
                                        {"bits", Table::Align::kRight},
                                        {"bytes", Table::Align::kRight}};
  if (!errors.empty()) {
    columns.push_back({"squared error", Table::Align::kRight});
  }
  Table table(columns);
  for (const PlannedTensor& tensor : plan.tensors) {
    std::vector<std::string> row = {Printable(tensor.output.name),
                                    tensor.output.shape.ToString(),
                                    tensor.source_label,
                                    SchemeLabel(tensor.output.encoding),
                                    Format("{:.2f}", BitsOf(tensor.output)),
                                    FormatCount(BytesOf(tensor.output))};
    if (!errors.empty()) {
      const auto error = errors.find(tensor.output.name);
      row.push_back(error == errors.end() ? "" : Format("{:.4g}", error->second));
    }
    table.AddRow(std::move(row));
  }
  const uint64_t needed = plan.OutputBytes();
  const uint64_t free = FreeSpace(options.destination);
  std::string out = table.ToString(width, color) + "\n";
  out += NameValueLines(
      {{"tensors", FormatCount(plan.tensors.size())},
       {"reads", FormatBytes(plan.SourceBytes())},
       {"writes", Format("{} in {} tensor file{}, {:.2f} bits a weight", FormatBytes(needed),
                         plan.layout.files.size(), plan.layout.files.size() == 1 ? "" : "s",
                         BitsPerWeight(plan))},
       {"memory", Format("at most {} (--memory), at least {}", FormatBytes(options.memory),
                         FormatBytes(MinimumMemory(plan)))},
       {"disk", Format("needs {}, {} free{}", FormatBytes(needed), FormatBytes(free),
                       needed > free ? ": NOT ENOUGH" : "")}},
      width, color);
  return out;
}

Json::Object DryRunJson(const Plan& plan, const RunOptions& options) {
  Json json = PlanToJson(plan);
  json.Erase("schema");
  json.Set("plan_schema", "lbrx.plan.v1");
  json.Set("bits_per_weight", BitsPerWeight(plan));
  json.Set("memory_limit", options.memory);
  json.Set("memory_least", MinimumMemory(plan));
  json.Set("disk_needed", plan.OutputBytes());
  json.Set("disk_free", FreeSpace(options.destination));
  return json.AsObject();
}

Json ReportJson(const Plan& plan, const ConvertRequest& request, const RunResult& result,
                const MergeLook* merge) {
  Json report = Json::MakeObject();
  report.Set("schema", "lbrx.report.v1");
  report.Set("request", request.ToJson());
  report.Set("source_bytes", result.source_bytes);
  report.Set("output_bytes", result.output_bytes);
  report.Set("bits_per_weight", BitsPerWeight(plan));
  report.Set("seconds", result.seconds);
  report.Set("notices", Notices(plan));
  Json tensors = Json::MakeArray();
  for (size_t i = 0; i < plan.tensors.size(); ++i) {
    const ErrorSums* errors = i < result.errors.size() ? &result.errors[i] : nullptr;
    tensors.Append(TensorReport(plan.tensors[i].output, errors));
  }
  report.Set("tensors", std::move(tensors));
  if (merge != nullptr) {
    report.Set("merge", MergeJson(*merge));
  }
  return report;
}

std::string ResultText(const Plan& plan, const ConvertRequest& request, const RunOptions& options,
                       const RunResult& result) {
  const std::string destination = Printable(request.destination, 4096);
  if (result.finished_before) {
    return Format("{}: an earlier run had already completed it", destination);
  }
  std::string text = options.no_output ? "did all the work for " + destination + ", wrote nothing"
                                       : "wrote " + destination;
  if (plan.layout.beside) {
    text += Format(" as {} parts, {} first", plan.layout.files.size(), plan.layout.files[0].name);
  }
  text += Format(": {} tensors, {} -> {}, {:.2f} bits a weight, {:.2f} s", plan.tensors.size(),
                 FormatBytes(result.source_bytes), FormatBytes(result.output_bytes),
                 BitsPerWeight(plan), result.seconds);
  if (result.resumed_bytes != 0) {
    text += Format(", {} of it from an earlier run", FormatBytes(result.resumed_bytes));
  }
  return text;
}

Json::Object ResultJson(const Plan& plan, const ConvertRequest& request, const RunOptions& options,
                        const RunResult& result) {
  return {{"source", request.source},
          {"destination", options.no_output ? Json() : Json(request.destination)},
          {"tensors", static_cast<uint64_t>(plan.tensors.size())},
          {"source_bytes", result.source_bytes},
          {"output_bytes", result.output_bytes},
          {"resumed_bytes", result.resumed_bytes},
          {"bits_per_weight", BitsPerWeight(plan)},
          {"seconds", result.seconds},
          {"peak_memory", result.peak_memory},
          {"nonfinite_replaced", result.zeroed},
          {"finished_before", result.finished_before},
          {"notices", Notices(plan)}};
}

}  // namespace lbrx
