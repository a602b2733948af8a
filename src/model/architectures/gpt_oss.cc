#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace lbrx {
namespace {

constexpr std::string_view kClasses[] = {"GptOssForCausalLM"};

constexpr TensorRule kTensors[] = {
    LBRX_DECODER_ENDS,
    LBRX_ATTENTION,
    {.pattern = "model.layers.{L}.input_layernorm",
     .role = Role::kAttentionNorm,
     .kind = ModuleKind::kOther},
    {.pattern = "model.layers.{L}.post_attention_layernorm",
     .role = Role::kFeedForwardNorm,
     .kind = ModuleKind::kOther,
     .gguf = "blk.{L}.post_attention_norm"},
    {.pattern = "model.layers.{L}.self_attn",
     .role = Role::kSinks,
     .kind = ModuleKind::kOther,
     .leaf = "sinks"},
    {.pattern = "model.layers.{L}.mlp.router",
     .role = Role::kRouter,
     .kind = ModuleKind::kLinear,
     .eight_bit = true},
    {.pattern = "model.layers.{L}.mlp.experts",
     .role = Role::kExpertGateUp,
     .kind = ModuleKind::kLinear,
     .layout = Layout::kInterleavedExperts,
     .mlx = "model.layers.{L}.mlp.experts.gate_proj",
     .mlx_second = "model.layers.{L}.mlp.experts.up_proj",
     .leaf = "gate_up_proj",
     .mlx_leaf = "weight"},
    {.pattern = "model.layers.{L}.mlp.experts",
     .role = Role::kExpertGateUp,
     .kind = ModuleKind::kLinear,
     .layout = Layout::kInterleavedExperts,
     .mlx = "model.layers.{L}.mlp.experts.gate_proj",
     .mlx_second = "model.layers.{L}.mlp.experts.up_proj",
     .leaf = "gate_up_proj_bias",
     .mlx_leaf = "bias"},
    {.pattern = "model.layers.{L}.mlp.experts",
     .role = Role::kExpertDown,
     .kind = ModuleKind::kLinear,
     .layout = Layout::kTransposed,
     .mlx = "model.layers.{L}.mlp.experts.down_proj",
     .leaf = "down_proj",
     .mlx_leaf = "weight"},
    {.pattern = "model.layers.{L}.mlp.experts",
     .role = Role::kExpertDown,
     .kind = ModuleKind::kLinear,
     .mlx = "model.layers.{L}.mlp.experts.down_proj",
     .leaf = "down_proj_bias",
     .mlx_leaf = "bias"},
};

constexpr std::string_view kLayerTypes[] = {"sliding_attention", "full_attention"};

}  // namespace

const Architecture kGptOss = {
    .name = "gpt_oss",
    .summary = "gpt-oss (attention sinks, experts with biases)",
    .classes = kClasses,
    .tensors = kTensors,
    .tied_by_default = false,
    .mlx_class = {.head = MlxClass::Head::kAlways,
                  .rope = MlxClass::Rope::kTypes,
                  .head_dim = true,
                  .query_bias = MlxClass::kAlways,
                  .attention_bias = MlxClass::kAlways,
                  .feed_forward_bias = MlxClass::kAlways,
                  .layer_types = kLayerTypes},
};

}  // namespace lbrx
