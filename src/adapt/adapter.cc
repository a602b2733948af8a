#include "adapt/adapter.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "core/base/format.h"
#include "core/io/file.h"

namespace lbrx {
namespace {

constexpr const char* kConfigName = "adapter_config.json";

// PEFT's, its older ones', mlx-lm's.
constexpr std::array kPeftFiles = {"adapter_model.safetensors", "adapter_model.bin"};
constexpr std::array kMlxFiles = {"adapters.safetensors"};

enum class Part : uint8_t { kA, kB, kMagnitude, kBias, kWhole };

// What a tensor is, by its name.
struct Named {
  Part part = Part::kWhole;
  std::string module;  // of kWhole: the tensor
  bool embedding = false;
};

// A part of a module in PEFT's names: "<module>.lora_A.weight", with the adapter's own name before
// the leaf in files that were not saved by PEFT's own means, or without a leaf.
struct PeftPart {
  std::string_view word;
  std::string_view leaf;
  Part part;
  bool embedding;
};

constexpr std::array kPeftParts = {
    PeftPart{".lora_A", ".weight", Part::kA, false},
    PeftPart{".lora_B", ".weight", Part::kB, false},
    PeftPart{".lora_B", ".bias", Part::kBias, false},
    PeftPart{".lora_embedding_A", "", Part::kA, true},
    PeftPart{".lora_embedding_B", "", Part::kB, true},
    PeftPart{".lora_magnitude_vector", ".weight", Part::kMagnitude, false},
    PeftPart{".lora_magnitude_vector", "", Part::kMagnitude, false},
};

[[noreturn]] void Refuse(const Adapter& adapter, const std::string& object, std::string what,
                         std::string expected, std::string found = {}) {
  throw Error(ErrorCode::kInvalid, {.file = adapter.checkpoint->path,
                                    .object = object,
                                    .what = std::move(what),
                                    .expected = std::move(expected),
                                    .found = std::move(found),
                                    .offset = {},
                                    .advice = {}});
}

// Whether `rest` is `leaf`, or an adapter's name and then `leaf`.
bool IsLeaf(std::string_view rest, std::string_view leaf) {
  if (!rest.ends_with(leaf)) {
    return false;
  }
  rest.remove_suffix(leaf.size());
  return rest.empty() || (rest.size() > 1 && rest[0] == '.' && rest.find('.', 1) == rest.npos);
}

Named NameInPeft(const Adapter& adapter, const std::string& stored) {
  constexpr std::string_view kRoot = "base_model.model.";
  std::string_view name = stored;
  name.remove_prefix(name.starts_with(kRoot) ? kRoot.size() : 0);
  for (const PeftPart& row : kPeftParts) {
    const size_t at = name.rfind(row.word);
    if (at != name.npos && IsLeaf(name.substr(at + row.word.size()), row.leaf)) {
      return {row.part, std::string(name.substr(0, at)), row.embedding};
    }
  }
  if (name.find("lora_") != name.npos || name.find("trainable_tokens") != name.npos) {
    Refuse(adapter, stored, "a tensor of an adapter of a kind that is not known here",
           "lora_A, lora_B, lora_embedding_A, lora_embedding_B or lora_magnitude_vector");
  }
  // A module trained as a whole, and the weight below an embedding's adapter.
  constexpr std::string_view kSaved = ".modules_to_save";
  constexpr std::string_view kBelow = ".base_layer";
  Named out{Part::kWhole, std::string(name), false};
  const size_t leaf = name.rfind('.');
  if (const size_t at = name.rfind(kSaved); at != name.npos && leaf > at) {
    out.module = std::string(name.substr(0, at)).append(name.substr(leaf));
  } else if (const size_t below = name.rfind(kBelow); below != name.npos) {
    out.module.erase(below, kBelow.size());
  }
  return out;
}

Named NameInMlx(const Adapter& adapter, const std::string& stored) {
  struct Row {
    std::string_view ending;
    Part part;
  };

  for (const Row& row : {Row{".lora_a", Part::kA}, Row{".lora_b", Part::kB}}) {
    if (stored.ends_with(row.ending)) {
      return {row.part, stored.substr(0, stored.size() - row.ending.size()), false};
    }
  }
  constexpr std::string_view kMagnitude = ".m";
  if (adapter.config.dora && stored.ends_with(kMagnitude)) {
    return {Part::kMagnitude, stored.substr(0, stored.size() - kMagnitude.size()), false};
  }
  return {Part::kWhole, stored, false};
}

const SourceTensor** SlotOf(AdaptedModule& module, Part part) {
  switch (part) {
    case Part::kA:
      return &module.a;
    case Part::kB:
      return &module.b;
    case Part::kMagnitude:
      return &module.magnitude;
    default:
      return &module.bias;
  }
}

void CheckComplete(const Adapter& adapter, const AdaptedModule& module) {
  const auto require = [&](const SourceTensor* tensor, const char* what) {
    if (tensor == nullptr) {
      Refuse(adapter, module.name, "a part of the module's adapter is missing", what);
    }
  };
  const bool mlx = adapter.config.kind == AdapterConfig::Kind::kMlx;
  require(module.a, mlx ? "lora_a" : "lora_A");
  require(module.b, mlx ? "lora_b" : "lora_B");
  if (adapter.config.dora) {
    require(module.magnitude, mlx ? "m" : "lora_magnitude_vector");
  } else if (module.magnitude != nullptr) {
    Refuse(adapter, module.magnitude->name, "a part of DoRA, which the configuration has not",
           "use_dora to be true");
  }
}

void Group(Adapter& adapter) {
  std::map<std::string, AdaptedModule> modules;
  for (const SourceTensor& tensor : adapter.checkpoint->tensors) {
    const bool mlx = adapter.config.kind == AdapterConfig::Kind::kMlx;
    const Named named = mlx ? NameInMlx(adapter, tensor.name) : NameInPeft(adapter, tensor.name);
    const Encoding& encoding = tensor.encoding;
    if (encoding.scheme != Scheme::kPlain || !Info(encoding.dtype).floating ||
        Info(encoding.dtype).bits < 16) {
      Refuse(adapter, tensor.name, "has values of another type than adapters have",
             "F32, F16, BF16 or F64", SchemeLabel(encoding));
    }
    if (named.part == Part::kWhole) {
      adapter.replaced.push_back({named.module, &tensor});
      continue;
    }
    AdaptedModule& module = modules[named.module];
    module.name = named.module;
    module.embedding = module.embedding || named.embedding;
    const SourceTensor** slot = SlotOf(module, named.part);
    if (*slot != nullptr) {
      Refuse(adapter, tensor.name, "two tensors are the same part of one module", "one adapter",
             (*slot)->name);
    }
    *slot = &tensor;
  }
  for (auto& [name, module] : modules) {
    CheckComplete(adapter, module);
    adapter.modules.push_back(std::move(module));
  }
}

std::string FolderOf(const std::string& path) {
  if (PathExists(path)) {
    return path;
  }
  if (std::optional<std::string> folder = ResolveHubName(path)) {
    return *std::move(folder);
  }
  throw Error(ErrorCode::kIo,
              {.file = path,
               .object = {},
               .what = "no such folder",
               .expected = "a folder of an adapter, or org/name from the Hugging Face cache",
               .found = {},
               .offset = {},
               .advice = {}});
}

template <size_t kCount>
std::string WeightsIn(const std::string& folder, const std::array<const char*, kCount>& names) {
  for (const char* name : names) {
    if (std::string path = JoinPath(folder, name); PathExists(path)) {
      return path;
    }
  }
  throw Error(ErrorCode::kInvalid, {.file = folder,
                                    .object = {},
                                    .what = "the adapter's weights are missing",
                                    .expected = names[0],
                                    .found = {},
                                    .offset = {},
                                    .advice = "download the folder again"});
}

}  // namespace

bool IsAdapterFolder(const std::string& folder) {
  return PathExists(JoinPath(folder, kConfigName));
}

std::shared_ptr<const Adapter> OpenAdapter(const std::string& path, const OpenOptions& options) {
  const std::string folder = FolderOf(path);
  if (!IsAdapterFolder(folder)) {
    throw Error(ErrorCode::kInvalid, {.file = path,
                                      .object = {},
                                      .what = "is no folder of an adapter",
                                      .expected = kConfigName,
                                      .found = {},
                                      .offset = {},
                                      .advice = {}});
  }
  const std::string config = JoinPath(folder, kConfigName);
  auto adapter = std::make_shared<Adapter>();
  adapter->path = path;
  adapter->config = ParseAdapterConfig(ParseJson(ReadWholeFile(config), config), config);
  const bool mlx = adapter->config.kind == AdapterConfig::Kind::kMlx;
  adapter->checkpoint = std::make_shared<Checkpoint>(
      OpenCheckpoint(mlx ? WeightsIn(folder, kMlxFiles) : WeightsIn(folder, kPeftFiles), options));
  Group(*adapter);
  if (adapter->modules.empty() && adapter->replaced.empty()) {
    Refuse(*adapter, "", "has no tensors", "an adapter's");
  }
  return adapter;
}

}  // namespace lbrx
