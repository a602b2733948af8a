// A checkpoint as found on disk: files, tensors by name, configuration. Opening reads headers only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/io/file.h"
#include "core/tensor/encoding.h"
#include "core/text/json.h"

namespace lbrx {

class Executor;
class GgufKeys;

// A file that holds tensor data.
struct DataFile {
  std::string path;
  Fingerprint fingerprint;  // as of opening; a change while reading is kInvalid
};

// A stored array: where a plane's bytes are.
struct StoredArray {
  std::string name;  // as stored
  DType dtype = DType::kF32;
  Shape shape;
  uint32_t file = 0;    // index into Checkpoint::files
  uint64_t offset = 0;  // in the file, of the first element
  uint64_t bytes = 0;   // of the elements
  // In elements, one a dimension; empty: row-major without gaps. All that they reach lies in the
  // file. Arrays with strides are whole-byte ones and read by LoadArray only.
  std::vector<uint64_t> strides = {};
};

// A tensor of the model: values of `encoding` and logical `shape`, stored in planes.
struct SourceTensor {
  std::string name;  // of its main plane, as stored: "model.layers.0.self_attn.q_proj.weight"; of
                     // packed schemes what it is called when it is not quantized
  Encoding encoding;
  Shape shape;                   // of the values
  std::vector<uint32_t> planes;  // indices into Checkpoint::arrays, in the order of PlanesOf
  bool transposed = false;       // the planes hold the values with the last two dimensions swapped
};

// A small file beside the tensors (tokenizer, licence, code...).
struct SideFile {
  std::string name;  // relative to the folder
  std::string path;
  uint64_t bytes = 0;
};

enum class Severity : uint8_t { kWarning, kError };

struct Problem {
  Severity severity = Severity::kError;
  ErrorDetail detail;
};

struct Checkpoint {
  std::string path;    // as given by the user
  std::string format;  // "safetensors", "huggingface", "mlx", "torch", "gguf": a row of Formats()
  std::string reason;  // why it was taken for that
  std::string folder;  // of config and side files; empty for a bare file
  std::vector<DataFile> files;
  std::vector<StoredArray> arrays;              // in file order, then by offset
  std::vector<SourceTensor> tensors;            // sorted by NaturalLess
  std::map<std::string, std::string> metadata;  // of the container, first file
  Json config;                                  // null where there is none
  std::shared_ptr<const GgufKeys> gguf;         // what a GGUF file says of its model; else null
  std::vector<SideFile> side_files;  // sorted by name; config.json, index and data files left out
  std::vector<Problem> problems;     // what was wrong but could be read past

  // By binary search; nullptr where there is none.
  const SourceTensor* Find(std::string_view name) const;
  void BuildIndex();  // after `tensors` changed: sorts them
};

struct OpenOptions {
  // Collect every problem in Checkpoint::problems and go on where possible (inspect, validate);
  // otherwise the first error is thrown.
  bool collect_problems = false;
  bool strict = false;           // warnings of structure become errors
  Executor* executor = nullptr;  // opens shards side by side
};

// Opens whatever `path` is: a folder, a safetensors or torch file, or `org/name` in the local
// Hugging Face cache. What it is is decided by content. kIo: not found; kInvalid: not a checkpoint,
// or damaged.
Checkpoint OpenCheckpoint(const std::string& path, const OpenOptions& options = {});

// "layers.2" before "layers.10": runs of digits compare by value.
bool NaturalLess(std::string_view a, std::string_view b);

// A format that can be read, and perhaps written.
struct FormatInfo {
  std::string_view name;
  std::string_view summary;
  bool readable = true;
  bool writable = true;
};

const std::vector<FormatInfo>& Formats();

// The folder that `org/name` (optionally `org/name@revision`) has in the Hugging Face cache
// (HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME rules). nullopt: `text` is no such name. kIo naming
// `hf download org/name` where it is not there.
std::optional<std::string> ResolveHubName(const std::string& text);

// The reverse: whose snapshot a folder is.
struct HubSnapshot {
  std::string name;      // "org/name"
  std::string revision;  // a commit
};

std::optional<HubSnapshot> HubSnapshotOf(const std::string& folder);

// Whether `text` could be a repository of the hub: "org/name" and nothing more.
bool IsHubName(const std::string& text);

}  // namespace lbrx
