// What the tensors of a model family mean: one declarative table each, from which every direction
// of conversion follows.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/json.h"

namespace lbrx {

// What a tensor does, whatever the container calls it.
enum class Role : uint8_t {
  kUnknown,
  kTokenEmbedding,
  kOutput,  // lm_head
  kOutputNorm,
  kAttentionNorm,
  kAttentionPostNorm,
  kFeedForwardNorm,
  kFeedForwardPostNorm,
  kQuery,
  kKey,
  kValue,
  kQueryKeyValue,
  kAttentionOutput,
  kQueryNorm,
  kKeyNorm,
  kGate,
  kUp,
  kDown,
  kGateUp,
  kRopeFrequencies,  // derived data: dropped
};

// How MLX stores a module: only these can be quantized.
enum class ModuleKind : uint8_t { kOther, kLinear, kEmbedding };

// One tensor, or one per layer: {L} stands for the layer's number.
struct TensorRule {
  std::string_view
      pattern;  // Hugging Face name without ".weight"/".bias": "model.layers.{L}.mlp.up_proj"
  Role role;
  ModuleKind kind;
  std::string_view mlx = "";  // MLX module name where it differs
};

struct Architecture {
  std::string_view name;  // model_type: "llama"
  std::string_view summary;
  std::span<const std::string_view> classes;  // "LlamaForCausalLM"
  std::span<const TensorRule> tensors;
  bool tied_by_default;  // Hugging Face's value where tie_word_embeddings is absent
};

std::span<const Architecture* const> Architectures();

// By config's model_type, else by `architectures`; nullptr where unknown.
const Architecture* FindArchitecture(const Json& config);

// A stored name resolved against an architecture.
struct TensorMeaning {
  const TensorRule* rule = nullptr;  // nullptr: not known
  std::optional<uint64_t> layer;
  std::string_view leaf;  // "weight", "bias"
};

TensorMeaning Resolve(const Architecture& architecture, std::string_view name);

}  // namespace lbrx
