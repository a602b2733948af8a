#include "stream/plan.h"

#include "core/base/format.h"

namespace lbrx {
namespace {

// Changes whenever the same plan would give other bytes than before (a fixed rounding, another
// layout), so that a partial run of an older version is not continued.
constexpr int kEngineVersion = 1;

uint64_t SourceBytesOf(const PlannedTensor& tensor) {
  uint64_t bytes = tensor.value == nullptr ? 0 : tensor.value->SourceBytes();
  for (const ValuePtr& copy : tensor.copies) {
    bytes += copy->SourceBytes();
  }
  return bytes;
}

uint64_t OutputBytesOf(const PlannedTensor& tensor) {
  uint64_t bytes = 0;
  for (const OutputPlane& plane : tensor.output.planes) {
    bytes += plane.bytes;
  }
  return bytes;
}

std::string DescribeRecipe(const PlannedTensor& tensor) {
  if (tensor.value == nullptr) {
    std::string text = "copy(";
    for (const ValuePtr& copy : tensor.copies) {
      text += (text.back() == '(' ? "" : ", ") + copy->Describe();
    }
    return text + ")";
  }
  if (tensor.output.encoding.scheme == Scheme::kPlain) {
    return tensor.value->Describe();
  }
  return Format("encode({}, {}, {}{})", tensor.value->Describe(),
                SchemeLabel(tensor.output.encoding),
                tensor.encode.rule == MlxRule::kMetal ? "metal" : "cpu",
                tensor.encode.search ? ", search" : "");
}

Json ShapeJson(const Shape& shape) {
  Json out = Json::MakeArray();
  for (const uint64_t dim : shape.dims()) {
    out.Append(dim);
  }
  return out;
}

Json TensorJson(const PlannedTensor& tensor) {
  Json out = Json::MakeObject();
  out.Set("name", tensor.output.name);
  out.Set("source", tensor.source_label);
  out.Set("scheme", SchemeLabel(tensor.output.encoding));
  out.Set("shape", ShapeJson(tensor.output.shape));
  out.Set("source_bytes", SourceBytesOf(tensor));
  out.Set("bytes", OutputBytesOf(tensor));
  out.Set("recipe", DescribeRecipe(tensor));
  return out;
}

}  // namespace

uint64_t Plan::OutputBytes() const {
  uint64_t bytes = 0;
  for (const OutputFile& file : layout.files) {
    bytes += file.size;
  }
  for (const SideFile& copy : copies) {
    bytes += copy.bytes;
  }
  for (const OutputText& text : texts) {
    bytes += text.content.size();
  }
  return bytes;
}

uint64_t Plan::SourceBytes() const {
  uint64_t bytes = 0;
  for (const PlannedTensor& tensor : tensors) {
    bytes += SourceBytesOf(tensor);
  }
  return bytes;
}

Hash128 PlanHash(const Plan& plan) {
  Hasher128 hasher;
  const auto add = [&](std::string_view text) {
    hasher.Update(std::to_string(text.size()));
    hasher.Update(":");
    hasher.Update(text);
  };
  add(Format("lbrx plan {}", kEngineVersion));
  for (const PlannedTensor& tensor : plan.tensors) {
    add(tensor.output.name);
    add(DescribeRecipe(tensor));
    if (tensor.importance != nullptr) {
      hasher.Update(std::as_bytes(std::span(*tensor.importance)));
    }
    for (const OutputPlane& plane : tensor.output.planes) {
      add(Format("{} {} {}", plane.bytes, plane.file, plane.offset));
    }
  }
  for (const OutputFile& file : plan.layout.files) {
    add(file.name);
    add(file.header);
  }
  for (const SideFile& copy : plan.copies) {
    add(Format("{} {}", copy.name, copy.bytes));
  }
  for (const OutputText& text : plan.texts) {
    add(text.name);
    add(text.content);
  }
  return hasher.Finish();
}

Json SourceFingerprints(const Plan& plan) {
  Json out = Json::MakeArray();
  for (const auto& checkpoint : plan.sources) {
    for (const DataFile& file : checkpoint->files) {
      Json row = Json::MakeObject();
      row.Set("path", file.path);
      row.Set("size", file.fingerprint.size);
      row.Set("mtime_ns", file.fingerprint.mtime_ns);
      out.Append(std::move(row));
    }
  }
  return out;
}

Json PlanToJson(const Plan& plan) {
  Json out = Json::MakeObject();
  out.Set("schema", "lbrx.plan.v1");
  out.Set("command", plan.command);
  out.Set("request", plan.request);
  out.Set("hash", PlanHash(plan).Hex());
  out.Set("sources", SourceFingerprints(plan));
  Json tensors = Json::MakeArray();
  for (const PlannedTensor& tensor : plan.tensors) {
    tensors.Append(TensorJson(tensor));
  }
  out.Set("tensors", std::move(tensors));
  Json files = Json::MakeArray();
  for (const OutputFile& file : plan.layout.files) {
    Json row = Json::MakeObject();
    row.Set("name", file.name);
    row.Set("bytes", file.size);
    files.Append(std::move(row));
  }
  out.Set("files", std::move(files));
  Json notices = Json::MakeArray();
  for (const std::string& notice : plan.notices) {
    notices.Append(notice);
  }
  out.Set("notices", std::move(notices));
  out.Set("source_bytes", plan.SourceBytes());
  out.Set("output_bytes", plan.OutputBytes());
  return out;
}

}  // namespace lbrx
