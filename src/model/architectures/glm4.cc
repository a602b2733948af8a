#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace lbrx {
namespace {

constexpr std::string_view kClasses[] = {"Glm4ForCausalLM"};

constexpr TensorRule kTensors[] = {
    LBRX_DECODER_ENDS,
    LBRX_ATTENTION,
    LBRX_PRE_NORMS,
    {.pattern = "model.layers.{L}.post_self_attn_layernorm",
     .role = Role::kAttentionPostNorm,
     .kind = ModuleKind::kOther},
    {.pattern = "model.layers.{L}.post_mlp_layernorm",
     .role = Role::kFeedForwardPostNorm,
     .kind = ModuleKind::kOther},
    {.pattern = "model.layers.{L}.mlp.gate_up_proj",
     .role = Role::kGateUp,
     .kind = ModuleKind::kLinear},
    {.pattern = "model.layers.{L}.mlp.down_proj", .role = Role::kDown, .kind = ModuleKind::kLinear},
};

}  // namespace

const Architecture kGlm4 = {
    .name = "glm4",
    .summary = "GLM-4 0414 (four norms a layer, fused gate, up)",
    .classes = kClasses,
    .tensors = kTensors,
    .tied_by_default = false,
    .mlx_class = {.head = MlxClass::Head::kAlways,
                  .head_dim = true,
                  .query_bias = "attention_bias"},
};

}  // namespace lbrx
