// What the tensors of a model family mean: one declarative table each, from which every direction
// of conversion follows.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/json.h"
#include "model/mlx_class.h"
#include "model/spelling.h"

namespace lbrx {

// What a tensor does, whatever the container calls it.
enum class Role : uint8_t {
  kTokenEmbedding,
  kPositionEmbedding,
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
  kSinks,
  kQueryDown,  // low-rank attention (DeepSeek): hidden -> rank
  kQueryDownNorm,
  kQueryUp,  // rank -> heads
  kKeyValueDown,
  kKeyValueDownNorm,
  kKeyValueUp,
  kGate,
  kUp,
  kDown,
  kGateUp,
  kRouter,
  kRouterBias,  // added to the router's scores to choose experts, a vector
  kExpertGate,
  kExpertUp,
  kExpertDown,
  kExpertGateUp,
  kSharedGate,
  kSharedUp,
  kSharedDown,
  kSharedRouter,
  kRopeFrequencies,  // derived data: MLX has no place for it
  kAttentionMask,    // likewise
};

// How MLX stores a module: linear and embedding weights can be quantized.
enum class ModuleKind : uint8_t { kOther, kLinear, kEmbedding };

// How a tensor lies in MLX when compared with Hugging Face.
enum class Layout : uint8_t {
  kSame,
  kStackedExperts,      // HF: a matrix per expert ({E}); MLX: one stack, experts first
  kFusedExperts,        // HF [E, 2 * out, in], gate over up; MLX: gate and up [E, out, in]
  kInterleavedExperts,  // HF [E, in, 2 * out] or bias [E, 2 * out], gate and up alternating; MLX:
                        // gate and up [E, out, in] or [E, out]
  kFusedColumns,        // HF [E, in, 2 * out] as published, or [E, 2 * out, in] as transformers 5
                        // saves, told by hidden_size; gate before up; MLX as of kFusedExperts
  kColumns,             // the same for [E, in, out] and [E, out, in]; MLX: [E, out, in]
  kTransposed,          // the last two dimensions swapped (vectors stay)
  kLatentHeads,  // HF kv_b_proj [heads * (nope + v), rank]; MLX: embed_q [heads, rank, nope] and
                 // unembed_out [heads, v, rank]
};

// One tensor; one per layer where the pattern has {L}, one per expert where it has {E}.
struct TensorRule {
  std::string_view pattern;  // Hugging Face's module: "model.layers.{L}.mlp.up_proj"
  Role role;
  ModuleKind kind;
  Layout layout = Layout::kSame;
  bool eight_bit = false;            // mlx-lm keeps it at 8 bits, group 64, whatever the scheme
  std::string_view mlx = "";         // MLX's module where it differs
  std::string_view mlx_second = "";  // the second one of two (up, unembed_out)
  std::string_view leaf = "";        // the last part of the name; "": any (weight, bias...)
  std::string_view mlx_leaf = "";    // MLX's where it differs
  std::string_view gguf = "";  // GGUF's module where it is not its role's (model/gguf_names.h)
};

// The keys of config.json that say sizes.
struct ConfigKeys {
  std::string_view layers = "num_hidden_layers";
  std::string_view hidden = "hidden_size";
  std::string_view vocabulary = "vocab_size";
  std::string_view intermediate = "intermediate_size";
  std::string_view heads = "num_attention_heads";
  std::string_view key_value_heads = "num_key_value_heads";
};

// How llama.cpp has a family's tensors, beside their names.
struct GgufTraits {
  // Rows of queries and keys lie as pairs that rotate together, not in two halves of a head.
  bool paired_rows = false;
  bool raised_norms = false;  // norms' weights are stored plus 1
};

struct Architecture {
  std::string_view name;  // model_type: "llama"
  std::string_view summary;
  std::span<const std::string_view> classes;  // "LlamaForCausalLM"
  std::span<const TensorRule> tensors;
  bool tied_by_default;  // transformers' value where tie_word_embeddings is absent
  ConfigKeys keys = {};
  bool has_prediction_layers = false;  // layers beyond the last one, which MLX leaves out
  MlxClass mlx_class = {};
  GgufTraits gguf = {};
  // How Hugging Face's folders spell its names: as `tensors` has them, which is the usual way, or
  // otherwise.
  std::span<const Spelling* const> spellings = kOnlyPlain;
};

std::span<const Architecture* const> Architectures();

// By config's model_type, else by `architectures`; nullptr where unknown.
const Architecture* FindArchitecture(const Json& config);

// A name resolved against an architecture.
struct TensorMeaning {
  const TensorRule* rule = nullptr;  // nullptr: not known
  std::optional<uint64_t> layer;
  std::optional<uint64_t> expert;
  std::string_view leaf;  // "weight", "bias"
  bool second = false;    // of an MLX name: it is the rule's second module
};

// `name` as Hugging Face spells it, but for `cut` at its beginning, which it lacks.
TensorMeaning Resolve(const Architecture& architecture, std::string_view name,
                      std::string_view cut = "");
// `name` as MLX spells it.
TensorMeaning ResolveMlx(const Architecture& architecture, std::string_view name,
                         std::string_view cut = "");

// `name` as GGUF spells it: one of the rule's modules in MLX's layout. Names that the text model
// has elsewhere alone (per-expert ones of old files) are not known here.
TensorMeaning ResolveGguf(const Architecture& architecture, std::string_view name);

// `pattern` with the numbers put in, and a leaf appended.
std::string Spell(std::string_view pattern, const TensorMeaning& numbers, std::string_view leaf);

}  // namespace lbrx
