#include "core/base/hash.h"

#include <algorithm>
#include <numeric>

#include "check/canonical.h"
#include "check/check.h"
#include "check/scan.h"
#include "core/tensor/convert.h"

namespace lbrx {
namespace {

ValuePtr AsFloat(ValuePtr value) {
  return CanConvert(value->dtype(), DType::kF32) ? CastTo(std::move(value), DType::kF32) : value;
}

// One after the other: a hash cannot be put together from parts. Tensors run side by side.
std::string HashValues(Scanner& scanner, const Value& value, const CancelToken* cancel) {
  Hasher128 hasher;
  const uint64_t elements = value.shape().elements();
  for (uint64_t first = 0; first < elements; first += kBandElements) {
    if (cancel != nullptr) {
      cancel->ThrowIfCancelled();
    }
    const uint64_t count = std::min(kBandElements, elements - first);
    Pool::Buffer values = scanner.Read(value, first, count);
    hasher.Update(values.span());
    scanner.Advance(value, first, count);
  }
  return hasher.Finish().Hex();
}

std::string FileOf(const Checkpoint& checkpoint, const SourceTensor* stored) {
  return stored == nullptr ? "" : checkpoint.files[checkpoint.arrays[stored->planes[0]].file].path;
}

// Largest first, so that no large one is left for the end, when the other threads are idle.
std::vector<size_t> BySize(const std::vector<ValuePtr>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return values[a]->SourceBytes() > values[b]->SourceBytes();
  });
  return order;
}

}  // namespace

std::vector<TensorHash> HashTensors(const Checkpoint& checkpoint, const CheckOptions& options) {
  Scanner scanner({&checkpoint}, options);
  std::vector<TensorHash> hashes;
  std::vector<ValuePtr> values;
  uint64_t memory = 0;
  for (NamedValue& tensor : CanonicalTensors(scanner.sources(), 0)) {
    hashes.push_back({.name = std::move(tensor.name),
                      .scheme = std::move(tensor.label),
                      .shape = tensor.value->shape(),
                      .file = FileOf(checkpoint, tensor.stored),
                      .xxh3_128 = {}});
    values.push_back(AsFloat(std::move(tensor.value)));
    memory = std::max(memory, BandMemory(*values.back()));
  }
  const std::vector<size_t> order = BySize(values);
  scanner.Run(order.size(), memory, [&](uint64_t i) {
    const size_t tensor = order[i];
    hashes[tensor].xxh3_128 = HashValues(scanner, *values[tensor], options.cancel);
  });
  return hashes;
}

std::string Sha256File(const std::string& path, const CheckOptions& options) {
  constexpr uint64_t kChunk = uint64_t{1} << 20;
  const std::shared_ptr<File> file = File::OpenRead(path);
  const uint64_t size = file->Size();
  Pool pool;
  Pool::Buffer buffer = pool.Get(kChunk);
  Sha256 hasher;
  for (uint64_t offset = 0; offset < size; offset += kChunk) {
    if (options.cancel != nullptr) {
      options.cancel->ThrowIfCancelled();
    }
    const uint64_t count = std::min(kChunk, size - offset);
    file->WillNeed(offset + count, kChunk);
    file->ReadAt(offset, buffer.span().first(count));
    hasher.Update(buffer.span().first(count));
    if (options.advance) {
      options.advance(count);
    }
  }
  return hasher.FinishHex();
}

std::vector<ModelFile> FilesOf(const Checkpoint& checkpoint) {
  std::vector<ModelFile> files;
  const std::string start = JoinPath(checkpoint.folder, "");  // "", or what ends in a slash
  for (const DataFile& file : checkpoint.files) {
    const bool inside = !start.empty() && file.path.starts_with(start);
    files.push_back({.name = inside ? file.path.substr(start.size()) : BaseName(file.path),
                     .path = file.path,
                     .bytes = file.fingerprint.size,
                     .data = true,
                     .sha256 = {}});
  }
  if (checkpoint.folder.empty()) {
    return files;
  }
  for (const char* name :
       {"config.json", "model.safetensors.index.json", "pytorch_model.bin.index.json"}) {
    const std::string path = JoinPath(checkpoint.folder, name);
    if (PathExists(path)) {
      files.push_back(
          {.name = name, .path = path, .bytes = File::OpenRead(path)->Size(), .sha256 = {}});
    }
  }
  for (const SideFile& side : checkpoint.side_files) {
    files.push_back({.name = side.name, .path = side.path, .bytes = side.bytes, .sha256 = {}});
  }
  return files;
}

}  // namespace lbrx
