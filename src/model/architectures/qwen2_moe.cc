#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace lbrx {
namespace {

constexpr std::string_view kClasses[] = {"Qwen2MoeForCausalLM"};

constexpr TensorRule kTensors[] = {
    LBRX_DECODER_ENDS,
    LBRX_ATTENTION,
    LBRX_PRE_NORMS,
    {.pattern = "model.layers.{L}.mlp.gate", .role = Role::kRouter, .kind = ModuleKind::kLinear},
    LBRX_EXPERTS,
    {.pattern = "model.layers.{L}.mlp.shared_expert.gate_proj",
     .role = Role::kSharedGate,
     .kind = ModuleKind::kLinear},
    {.pattern = "model.layers.{L}.mlp.shared_expert.up_proj",
     .role = Role::kSharedUp,
     .kind = ModuleKind::kLinear},
    {.pattern = "model.layers.{L}.mlp.shared_expert.down_proj",
     .role = Role::kSharedDown,
     .kind = ModuleKind::kLinear},
    {.pattern = "model.layers.{L}.mlp.shared_expert_gate",
     .role = Role::kSharedRouter,
     .kind = ModuleKind::kLinear},
    LBRX_GATED_MLP,
};

// Each of its layers has experts.
constexpr Role kLacks[] = {Role::kGate, Role::kUp, Role::kDown};

}  // namespace

const Architecture kQwen2Moe = {
    .name = "qwen2_moe",
    .summary = "Qwen1.5-MoE and Qwen2-MoE (shared expert with a gate)",
    .classes = kClasses,
    .tensors = kTensors,
    .tied_by_default = false,
    .mlx_class = {.head = MlxClass::Head::kAlways,
                  .rope = MlxClass::Rope::kLinear,
                  .query_bias = MlxClass::kAlways,
                  .lacks = kLacks},
};

}  // namespace lbrx
