#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace lbrx {
namespace {

constexpr std::string_view kClasses[] = {"Qwen3MoeForCausalLM"};

constexpr TensorRule kTensors[] = {
    LBRX_DECODER_ENDS,
    LBRX_ATTENTION,
    LBRX_PRE_NORMS,
    LBRX_QUERY_KEY_NORMS,
    {.pattern = "model.layers.{L}.mlp.gate",
     .role = Role::kRouter,
     .kind = ModuleKind::kLinear,
     .eight_bit = true},
    LBRX_EXPERTS,
    LBRX_GATED_MLP,
};

}  // namespace

const Architecture kQwen3Moe = {
    .name = "qwen3_moe",
    .summary = "Qwen3-MoE (norms on q and k)",
    .classes = kClasses,
    .tensors = kTensors,
    .tied_by_default = false,
    .mlx_class = {.head_dim = true},
};

}  // namespace lbrx
