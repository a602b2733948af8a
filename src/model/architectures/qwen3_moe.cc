#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace lbrx {
namespace {

constexpr std::string_view kClasses[] = {"Qwen3MoeForCausalLM"};

constexpr TensorRule kTensors[] = {
    LBRX_DECODER_ENDS,
    LBRX_ATTENTION,
    LBRX_PRE_NORMS,
    {.pattern = "model.layers.{L}.self_attn.q_norm",
     .role = Role::kQueryNorm,
     .kind = ModuleKind::kOther},
    {.pattern = "model.layers.{L}.self_attn.k_norm",
     .role = Role::kKeyNorm,
     .kind = ModuleKind::kOther},
    {.pattern = "model.layers.{L}.mlp.gate",
     .role = Role::kRouter,
     .kind = ModuleKind::kLinear,
     .eight_bit = true},
    {.pattern = "model.layers.{L}.mlp.experts.{E}.gate_proj",
     .role = Role::kExpertGate,
     .kind = ModuleKind::kLinear,
     .layout = Layout::kStackedExperts,
     .mlx = "model.layers.{L}.mlp.switch_mlp.gate_proj"},
    {.pattern = "model.layers.{L}.mlp.experts.{E}.up_proj",
     .role = Role::kExpertUp,
     .kind = ModuleKind::kLinear,
     .layout = Layout::kStackedExperts,
     .mlx = "model.layers.{L}.mlp.switch_mlp.up_proj"},
    {.pattern = "model.layers.{L}.mlp.experts.{E}.down_proj",
     .role = Role::kExpertDown,
     .kind = ModuleKind::kLinear,
     .layout = Layout::kStackedExperts,
     .mlx = "model.layers.{L}.mlp.switch_mlp.down_proj"},
    {.pattern = "model.layers.{L}.mlp.experts",
     .role = Role::kExpertGateUp,
     .kind = ModuleKind::kLinear,
     .layout = Layout::kFusedExperts,
     .mlx = "model.layers.{L}.mlp.switch_mlp.gate_proj",
     .mlx_second = "model.layers.{L}.mlp.switch_mlp.up_proj",
     .leaf = "gate_up_proj",
     .mlx_leaf = "weight"},
    {.pattern = "model.layers.{L}.mlp.experts",
     .role = Role::kExpertDown,
     .kind = ModuleKind::kLinear,
     .mlx = "model.layers.{L}.mlp.switch_mlp.down_proj",
     .leaf = "down_proj",
     .mlx_leaf = "weight"},
    LBRX_GATED_MLP,
};

}  // namespace

const Architecture kQwen3Moe = {
    .name = "qwen3_moe",
    .summary = "Qwen3-MoE (norms on q and k)",
    .classes = kClasses,
    .tensors = kTensors,
    .tied_by_default = false,

};

}  // namespace lbrx
