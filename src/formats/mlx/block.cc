#include "formats/mlx/mlx.h"

namespace lbrx {

namespace {

Json::Object Entry(const Encoding& encoding) {
  return {{"group_size", Json(int{encoding.group})},
          {"bits", Json(int{encoding.bits})},
          {"mode", Json(SchemeName(encoding.scheme))}};
}

bool SameParameters(const Encoding& a, const Encoding& b) {
  return a.scheme == b.scheme && a.bits == b.bits && a.group == b.group;
}

}  // namespace

Json MlxQuantizationBlock(const std::vector<OutputTensor>& tensors, const Encoding& global) {
  Json::Object block = Entry(global);
  for (const OutputTensor& tensor : tensors) {
    if (tensor.encoding.scheme == Scheme::kPlain || SameParameters(tensor.encoding, global)) {
      continue;
    }
    constexpr std::string_view kWeight = ".weight";
    std::string_view path = tensor.name;
    if (path.ends_with(kWeight)) {
      path.remove_suffix(kWeight.size());
    }
    block.emplace_back(std::string(path), Json(Entry(tensor.encoding)));
  }
  return Json(std::move(block));
}

}  // namespace lbrx
