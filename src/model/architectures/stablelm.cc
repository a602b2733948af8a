#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace lbrx {
namespace {

constexpr std::string_view kClasses[] = {"StableLmForCausalLM"};

constexpr TensorRule kTensors[] = {
    LBRX_DECODER_ENDS,
    LBRX_ATTENTION,
    LBRX_PRE_NORMS,
    LBRX_GATED_MLP,
    {.pattern = "model.layers.{L}.self_attn.q_layernorm.norms.{E}",
     .role = Role::kQueryNorm,
     .kind = ModuleKind::kOther},
    {.pattern = "model.layers.{L}.self_attn.k_layernorm.norms.{E}",
     .role = Role::kKeyNorm,
     .kind = ModuleKind::kOther},
};

}  // namespace

const Architecture kStableLm = {
    .name = "stablelm",
    .summary = "StableLM 2 (layer norms with biases, partial rotation)",
    .classes = kClasses,
    .tensors = kTensors,
    .tied_by_default = false,
    .mlx_class = {.head = MlxClass::Head::kAlways, .query_bias = "use_qkv_bias"},
};

}  // namespace lbrx
