#include "formats/writer.h"

#include <algorithm>

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

// Lays out file `index`, which holds tensors[begin, end).
OutputFile LayOutFile(std::vector<OutputTensor>& tensors, size_t begin, size_t end,
                      const std::map<std::string, std::string>& metadata) {
  std::vector<SafetensorsEntry> entries;
  std::vector<OutputPlane*> planes;
  for (size_t i = begin; i < end; ++i) {
    for (OutputPlane& plane : tensors[i].planes) {
      entries.push_back({plane.name, plane.dtype, plane.shape});
      planes.push_back(&plane);
    }
  }
  SafetensorsLayout layout = LayOutSafetensors(entries, metadata);
  for (size_t i = 0; i < planes.size(); ++i) {
    planes[i]->offset = layout.offsets[i];
  }
  return {"", layout.file_size, std::move(layout.header)};
}

// Names must differ within the whole output: the index knows them without their file.
void RefuseDuplicateNames(const std::vector<OutputTensor>& tensors) {
  std::vector<const std::string*> names;
  for (const OutputTensor& tensor : tensors) {
    for (const OutputPlane& plane : tensor.planes) {
      names.push_back(&plane.name);
    }
  }
  const auto less = [](const std::string* a, const std::string* b) { return *a < *b; };
  std::sort(names.begin(), names.end(), less);
  const auto same = std::adjacent_find(names.begin(), names.end(),
                                       [](const auto* a, const auto* b) { return *a == *b; });
  if (same != names.end()) {
    ErrorDetail detail;
    detail.object = **same;
    detail.what = "two output tensors of the same name";
    throw Error(ErrorCode::kInvalid, std::move(detail));
  }
}

std::string ShardName(size_t number, size_t count) {
  return count == 1 ? "model.safetensors"
                    : Format("model-{:05}-of-{:05}.safetensors", number, count);
}

OutputText MakeIndex(TargetKind kind, const std::vector<OutputTensor>& tensors,
                     const OutputLayout& layout) {
  uint64_t bytes = 0;
  uint64_t parameters = 0;
  Json::Object weight_map;
  for (const OutputTensor& tensor : tensors) {
    parameters += tensor.shape.elements();
    for (const OutputPlane& plane : tensor.planes) {
      bytes += plane.bytes;
      weight_map.emplace_back(plane.name, Json(layout.files[plane.file].name));
    }
  }
  std::sort(weight_map.begin(), weight_map.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  Json::Object metadata = {{"total_size", Json(bytes)}, {"total_parameters", Json(parameters)}};
  if (kind == TargetKind::kHuggingFace) {
    std::swap(metadata[0], metadata[1]);  // transformers sorts the keys
  }
  const Json index(Json::Object{{"metadata", Json(std::move(metadata))},
                                {"weight_map", Json(std::move(weight_map))}});
  const bool mlx = kind == TargetKind::kMlx;
  return {"model.safetensors.index.json",
          WriteJson(index, {mlx ? 4 : 2, false, true}) + (mlx ? "" : "\n")};
}

}  // namespace

OutputLayout LayOut(TargetKind kind, std::vector<OutputTensor>& tensors, uint64_t shard_size,
                    const std::map<std::string, std::string>& metadata) {
  RefuseDuplicateNames(tensors);
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
  if (kind == TargetKind::kMlx || (kind == TargetKind::kHuggingFace && count > 1)) {
    layout.texts.push_back(MakeIndex(kind, tensors, layout));
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
