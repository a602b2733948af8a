#include "formats/writer.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/format.h"
#include "formats/safetensors/safetensors.h"

namespace lbrx {

namespace {

uint64_t BytesOf(const OutputTensor& tensor) {
  uint64_t total = 0;
  for (const OutputPlane& plane : tensor.planes) {
    if (AddOverflows(total, plane.bytes, &total)) {
      throw Error(ErrorCode::kInternal, Printable(tensor.name) + ": its size overflows 64 bits");
    }
  }
  return total;
}

// Puts tensors into files in the order given, never splitting one; returns the number of files.
uint32_t AssignFiles(std::vector<OutputTensor>& tensors, uint64_t shard_size) {
  uint32_t file = 0;
  uint64_t filled = 0;
  bool empty = true;
  for (OutputTensor& tensor : tensors) {
    const uint64_t bytes = BytesOf(tensor);
    if (!empty && (filled > shard_size || bytes > shard_size - filled)) {
      ++file;
      filled = 0;
    }
    empty = false;
    filled += bytes;
    for (OutputPlane& plane : tensor.planes) {
      plane.file = file;
    }
  }
  return file + 1;
}

// Lays out one file, which holds tensors[begin, end).
OutputFile LayOutFile(std::vector<OutputTensor>& tensors, size_t begin, size_t end,
                      const std::map<std::string, std::string>& metadata) {
  std::vector<SafetensorsEntry> entries;
  std::vector<OutputPlane*> planes;
  for (size_t i = begin; i < end; ++i) {
    const std::vector<Plane> stored = PlanesOf(tensors[i].encoding, tensors[i].shape);
    for (size_t k = 0; k < stored.size(); ++k) {
      entries.push_back(
          {PlaneName(tensors[i].name, stored[k].suffix), stored[k].dtype, stored[k].shape});
      planes.push_back(&tensors[i].planes[k]);
    }
  }
  SafetensorsLayout layout = LayOutSafetensors(entries, metadata);
  for (size_t i = 0; i < planes.size(); ++i) {
    planes[i]->offset = layout.offsets[i];
  }
  return {"", layout.file_size, std::move(layout.header)};
}

// Every plane's stored name and file, sorted by name. Names must differ within the whole output:
// the index knows them without their file.
std::vector<std::pair<std::string, uint32_t>> NamesOf(const std::vector<OutputTensor>& tensors) {
  std::vector<std::pair<std::string, uint32_t>> names;
  for (const OutputTensor& tensor : tensors) {
    const std::vector<Plane> stored = PlanesOf(tensor.encoding, tensor.shape);
    for (size_t k = 0; k < stored.size(); ++k) {
      names.emplace_back(PlaneName(tensor.name, stored[k].suffix), tensor.planes[k].file);
    }
  }
  std::sort(names.begin(), names.end());
  const auto same = std::adjacent_find(
      names.begin(), names.end(), [](const auto& a, const auto& b) { return a.first == b.first; });
  if (same != names.end()) {
    ErrorDetail detail;
    detail.object = same->first;
    detail.what = "two output tensors of the same name";
    throw Error(ErrorCode::kInvalid, std::move(detail));
  }
  return names;
}

std::string ShardName(size_t number, size_t count) {
  return count == 1 ? "model.safetensors"
                    : Format("model-{:05}-of-{:05}.safetensors", number, count);
}

// The text of the index, written line by line: as a tree of values it would be the largest thing in
// memory.
OutputText MakeIndex(TargetKind kind, const std::vector<OutputTensor>& tensors,
                     const OutputLayout& layout,
                     const std::vector<std::pair<std::string, uint32_t>>& names) {
  uint64_t bytes = 0;
  uint64_t parameters = 0;
  for (const OutputTensor& tensor : tensors) {
    parameters += tensor.shape.elements();
    bytes += BytesOf(tensor);
  }
  const bool mlx = kind == TargetKind::kMlx;
  const std::string one(mlx ? 4 : 2, ' ');
  const std::string size = Format("{0}{0}\"total_size\": {1}", one, bytes);
  const std::string count = Format("{0}{0}\"total_parameters\": {1}", one, parameters);
  // transformers sorts the keys, mlx-lm does not.
  std::string text = Format("{{\n{0}\"metadata\": {{\n{1},\n{2}\n{0}}},\n{0}\"weight_map\": {{",
                            one, mlx ? size : count, mlx ? count : size);
  const char* separator = "\n";
  for (const auto& [name, file] : names) {
    text += Format("{0}{1}{1}{2}: \"{3}\"", separator, one,
                   WriteJson(Json(name), {-1, false, true}), layout.files[file].name);
    separator = ",\n";
  }
  text += Format("{}}}\n}}{}", names.empty() ? "" : "\n" + one, mlx ? "" : "\n");
  return {"model.safetensors.index.json", std::move(text)};
}

}  // namespace

OutputTensor::OutputTensor(std::string name_of, const Encoding& encoding_of, const Shape& shape_of)
    : name(std::move(name_of)), encoding(encoding_of), shape(shape_of) {
  for (const Plane& plane : PlanesOf(encoding, shape)) {
    planes.push_back({.bytes = PlaneBytes(plane)});
  }
}

OutputLayout LayOut(TargetKind kind, std::vector<OutputTensor>& tensors, uint64_t shard_size,
                    const std::map<std::string, std::string>& metadata) {
  OutputLayout layout;
  std::map<std::string, std::string> all_metadata = metadata;
  layout.single_file = kind == TargetKind::kSafetensors;
  if (!layout.single_file) {
    all_metadata["format"] = kind == TargetKind::kMlx ? "mlx" : "pt";
  }
  const uint32_t count = AssignFiles(tensors, layout.single_file ? ~uint64_t{0} : shard_size);
  size_t begin = 0;
  for (uint32_t file = 0; file < count; ++file) {
    size_t end = begin;
    while (end < tensors.size() && tensors[end].planes.front().file == file) {
      ++end;
    }
    layout.files.push_back(LayOutFile(tensors, begin, end, all_metadata));
    layout.files.back().name = layout.single_file ? "" : ShardName(file + 1, count);
    begin = end;
  }
  const auto names = NamesOf(tensors);
  if (kind == TargetKind::kMlx || (kind == TargetKind::kHuggingFace && count > 1)) {
    layout.texts.push_back(MakeIndex(kind, tensors, layout, names));
  }
  return layout;
}

std::string WriteConfig(TargetKind kind, const Json& config) {
  if (kind != TargetKind::kMlx) {
    return WriteJson(config, {2, true, true}) + "\n";
  }
  // mlx-lm sorts the outermost keys only.
  Json::Object sorted = config.AsObject();
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  return WriteJson(Json(std::move(sorted)), {4, false, true});
}

}  // namespace lbrx
