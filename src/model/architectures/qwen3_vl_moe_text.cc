#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace lbrx {
namespace {

// No model_type of its own that a file would have at its outermost level: inside qwen3_vl_moe only.
constexpr std::string_view kClasses[] = {"Qwen3VLMoeTextModel"};

constexpr TensorRule kTensors[] = {
    LBRX_DECODER_ENDS,
    LBRX_ATTENTION,
    LBRX_PRE_NORMS,
    LBRX_QUERY_KEY_NORMS,
    {.pattern = "model.layers.{L}.mlp.gate",
     .role = Role::kRouter,
     .kind = ModuleKind::kLinear,
     .eight_bit = true},
    {.pattern = "model.layers.{L}.mlp.experts",
     .role = Role::kExpertGateUp,
     .kind = ModuleKind::kLinear,
     .layout = Layout::kFusedColumns,
     .mlx = "model.layers.{L}.mlp.switch_mlp.gate_proj",
     .mlx_second = "model.layers.{L}.mlp.switch_mlp.up_proj",
     .leaf = "gate_up_proj",
     .mlx_leaf = "weight"},
    {.pattern = "model.layers.{L}.mlp.experts",
     .role = Role::kExpertDown,
     .kind = ModuleKind::kLinear,
     .layout = Layout::kColumns,
     .mlx = "model.layers.{L}.mlp.switch_mlp.down_proj",
     .leaf = "down_proj",
     .mlx_leaf = "weight"},
    LBRX_GATED_MLP,
};

}  // namespace

const Architecture kQwen3VlMoeText = {
    .name = "qwen3_vl_moe_text",
    .summary = "Qwen3-VL with experts, its text",
    .classes = kClasses,
    .tensors = kTensors,
    .tied_by_default = false,
    .mlx_class = {.head = MlxClass::Head::kAlways, .head_dim = true, .skips_others = true},
};

}  // namespace lbrx
