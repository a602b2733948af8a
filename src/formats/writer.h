// Where each plane of an output goes. Sizes are known before any data is read, so writing a
// checkpoint is: lay out, allocate, fill in any order.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/tensor/encoding.h"
#include "core/text/json.h"

namespace lbrx {

// Where a plane is written. Its name, dtype and shape follow from the tensor (PlanesOf, PlaneName):
// a checkpoint can have hundreds of thousands of planes.
struct OutputPlane {
  uint64_t bytes = 0;
  uint32_t file = 0;    // filled by the layout: index into OutputLayout::files
  uint64_t offset = 0;  // filled by the layout
};

// A tensor to be written: its planes stay in one shard.
struct OutputTensor {
  OutputTensor() = default;
  OutputTensor(std::string name, const Encoding& encoding, const Shape& shape);

  std::string name;
  Encoding encoding;
  Shape shape;
  std::vector<OutputPlane> planes;  // in the order of PlanesOf
};

struct OutputFile {
  std::string name;  // relative to the output folder; empty where the output is this one file
  uint64_t size = 0;
  std::string header;  // first bytes of the file
};

// A small file with known content, written after the tensors.
struct OutputText {
  std::string name;
  std::string content;
};

struct OutputLayout {
  bool single_file = false;
  bool beside = false;  // the files lie beside each other where a single one would, as a set
  std::vector<OutputFile> files;
  std::vector<OutputText> texts;  // index; in the order in which they must appear
};

// kGguf is laid out by LayOutGguf (formats/gguf/gguf.h).
enum class TargetKind : uint8_t { kSafetensors, kHuggingFace, kMlx, kGguf };

// Lays `tensors` out (filling file and offset of every plane) for one bare file, or a folder with
// shards of at most `shard_size` bytes of data (a tensor larger than that has a shard of its own).
// kMlx: index always, metadata {"format": "mlx"}; kHuggingFace: index where there are several
// shards,
// {"format": "pt"}. File names are model.safetensors or model-00001-of-0000N.safetensors.
OutputLayout LayOut(TargetKind kind, std::vector<OutputTensor>& tensors, uint64_t shard_size,
                    const std::map<std::string, std::string>& metadata);

// config.json in the style of the target: MLX sorts keys and indents by 4, Hugging Face by 2.
std::string WriteConfig(TargetKind kind, const Json& config);

}  // namespace lbrx
