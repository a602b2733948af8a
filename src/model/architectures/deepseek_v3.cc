#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace lbrx {
namespace {

constexpr std::string_view kClasses[] = {"DeepseekV3ForCausalLM"};

constexpr TensorRule kTensors[] = {
    LBRX_DECODER_ENDS,
    LBRX_PRE_NORMS,
    LBRX_GATED_MLP,
    {.pattern = "model.layers.{L}.self_attn.q_proj",
     .role = Role::kQuery,
     .kind = ModuleKind::kLinear},
    {.pattern = "model.layers.{L}.self_attn.q_a_proj",
     .role = Role::kQueryDown,
     .kind = ModuleKind::kLinear},
    {.pattern = "model.layers.{L}.self_attn.q_a_layernorm",
     .role = Role::kQueryDownNorm,
     .kind = ModuleKind::kOther},
    {.pattern = "model.layers.{L}.self_attn.q_b_proj",
     .role = Role::kQueryUp,
     .kind = ModuleKind::kLinear},
    {.pattern = "model.layers.{L}.self_attn.kv_a_proj_with_mqa",
     .role = Role::kKeyValueDown,
     .kind = ModuleKind::kLinear},
    {.pattern = "model.layers.{L}.self_attn.kv_a_layernorm",
     .role = Role::kKeyValueDownNorm,
     .kind = ModuleKind::kOther},
    {.pattern = "model.layers.{L}.self_attn.kv_b_proj",
     .role = Role::kKeyValueUp,
     .kind = ModuleKind::kLinear,
     .layout = Layout::kLatentHeads,
     .mlx = "model.layers.{L}.self_attn.embed_q",
     .mlx_second = "model.layers.{L}.self_attn.unembed_out"},
    {.pattern = "model.layers.{L}.self_attn.o_proj",
     .role = Role::kAttentionOutput,
     .kind = ModuleKind::kLinear},
    {.pattern = "model.layers.{L}.self_attn.rotary_emb",
     .role = Role::kRopeFrequencies,
     .kind = ModuleKind::kOther},
    {.pattern = "model.layers.{L}.mlp.gate",
     .role = Role::kRouterBias,
     .kind = ModuleKind::kOther,
     .leaf = "e_score_correction_bias"},
    {.pattern = "model.layers.{L}.mlp.gate", .role = Role::kRouter, .kind = ModuleKind::kOther},
    LBRX_EXPERTS,
    {.pattern = "model.layers.{L}.mlp.shared_experts.gate_proj",
     .role = Role::kSharedGate,
     .kind = ModuleKind::kLinear},
    {.pattern = "model.layers.{L}.mlp.shared_experts.up_proj",
     .role = Role::kSharedUp,
     .kind = ModuleKind::kLinear},
    {.pattern = "model.layers.{L}.mlp.shared_experts.down_proj",
     .role = Role::kSharedDown,
     .kind = ModuleKind::kLinear},
};

}  // namespace

const Architecture kDeepseekV3 = {
    .name = "deepseek_v3",
    .summary = "DeepSeek V3 and R1 (latent attention, grouped experts)",
    .classes = kClasses,
    .tensors = kTensors,
    .tied_by_default = false,
    .has_prediction_layers = true,
    .mlx_class = {.head = MlxClass::Head::kAlways,
                  .rope = MlxClass::Rope::kTypes,
                  .head_dim = true,
                  .attention_bias = "attention_bias"},
};

}  // namespace lbrx
