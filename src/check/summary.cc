#include <algorithm>
#include <map>

#include "check/check.h"
#include "formats/gguf/keys.h"
#include "model/architecture.h"

namespace lbrx {
namespace {

std::string ArchitectureName(const Checkpoint& checkpoint) {
  const Json& config = checkpoint.config;
  if (config.is_null() && checkpoint.gguf != nullptr) {
    return checkpoint.gguf->String("general.architecture");
  }
  if (const Architecture* known = FindArchitecture(config); known != nullptr) {
    return std::string(known->name);
  }
  const Json* type = config.Find("model_type");
  return type != nullptr && type->is_string() ? type->AsString() : "";
}

uint64_t StoredBytes(const Checkpoint& checkpoint, const SourceTensor& tensor) {
  uint64_t bytes = 0;
  for (const uint32_t plane : tensor.planes) {
    bytes += checkpoint.arrays[plane].bytes;
  }
  return bytes;
}

}  // namespace

Summary Summarize(const Checkpoint& checkpoint) {
  Summary summary;
  summary.architecture = ArchitectureName(checkpoint);
  std::map<std::string, Summary::SchemeShare> shares;
  for (const SourceTensor& tensor : checkpoint.tensors) {
    const std::string label = SchemeLabel(tensor.encoding);
    Summary::SchemeShare& share = shares[label];
    share.label = label;
    ++share.tensors;
    share.parameters += tensor.shape.elements();
    share.bytes += StoredBytes(checkpoint, tensor);
  }
  for (auto& [label, share] : shares) {
    summary.parameters += share.parameters;
    summary.bytes += share.bytes;
    summary.schemes.push_back(std::move(share));
  }
  std::stable_sort(summary.schemes.begin(), summary.schemes.end(),
                   [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  if (summary.parameters != 0) {
    summary.bits_per_weight =
        static_cast<double>(summary.bytes) * 8 / static_cast<double>(summary.parameters);
  }
  return summary;
}

}  // namespace lbrx
