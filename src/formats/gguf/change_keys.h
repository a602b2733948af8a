// Changes to a file's keys on their way into another file: --override-kv and --prune-layers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gguf/keys.h"

namespace lbrx {

// Sets a key at the end, wherever it was before: as ggml does, and so llama-quantize with all keys
// that it sets itself.
void SetLast(GgufKeys& keys, std::string_view key, GgufValue value);

// "KEY=TYPE:VALUE" with TYPE int, float, bool or str, typed as llama-quantize types it: int becomes
// u32, float f32. kUsage; also for an int that u32 does not hold, which llama-quantize alters.
GgufKeys::Entry ParseKeyOverride(std::string_view text);

// "3,7,8": layers to leave out, sorted, each once. kUsage.
std::vector<uint32_t> ParseLayerList(std::string_view text);

// Leaving out layers: their tensors go, later ones are renumbered without gaps.
class LayerPruning {
 public:
  // `names` are all tensors of the file. kUsage: a layer of `pruned` is not there, or none is left.
  LayerPruning(std::span<const uint32_t> pruned, std::span<const std::string> names);

  // What a tensor is called afterwards; nullopt: it is left out. `name` is one of `names`.
  std::optional<std::string> Rename(std::string_view name) const;

  // Puts the new number of layers into ARCH.block_count, at the end, and leaves the values of
  // pruned layers out of arrays of ARCH.* that have one a layer (but not rope.*, whose arrays have
  // other lengths). llama-quantize leaves the arrays, and files that do not load.
  void ChangeKeys(GgufKeys& keys) const;

 private:
  std::vector<bool> Dropped() const;  // by the number before; of a model whose numbers are sane

  std::map<uint64_t, std::optional<uint64_t>> renumbered_;  // by the number before
  uint64_t left_ = 0;
};

}  // namespace lbrx
