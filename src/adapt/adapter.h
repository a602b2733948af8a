// LoRA adapters as PEFT and mlx-lm save them: a folder with a configuration and the matrices whose
// products are added to a model's. Opening reads headers only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adapt/adapter_config.h"
#include "formats/checkpoint.h"

namespace lbrx {

// What an adapter has for one module of the model. Tensors are its checkpoint's.
struct AdaptedModule {
  std::string name;                         // "model.layers.0.self_attn.q_proj"
  bool embedding = false;                   // PEFT's lora_embedding_A, lora_embedding_B
  const SourceTensor* a = nullptr;          // from the module's inputs to the rank
  const SourceTensor* b = nullptr;          // from the rank to its outputs
  const SourceTensor* magnitude = nullptr;  // DoRA: lengths that the rows get
  const SourceTensor* bias = nullptr;       // of b
};

// A tensor that takes the place of the model's: modules_to_save, biases, or all of full tuning.
struct ReplacedTensor {
  std::string name;  // "lm_head.weight"
  const SourceTensor* tensor = nullptr;
};

struct Adapter {
  std::string path;  // as given by the user
  std::shared_ptr<const Checkpoint> checkpoint;
  AdapterConfig config;
  std::vector<AdaptedModule> modules;
  std::vector<ReplacedTensor> replaced;
};

// Whether `folder` has an adapter's configuration.
bool IsAdapterFolder(const std::string& folder);

// Opens a folder, or `org/name` in the local Hugging Face cache. kIo: not found; kInvalid: not an
// adapter, damaged, or one that cannot be added to weights (ParseAdapterConfig).
std::shared_ptr<const Adapter> OpenAdapter(const std::string& path,
                                           const OpenOptions& options = {});

}  // namespace lbrx
