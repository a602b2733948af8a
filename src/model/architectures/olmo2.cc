#include "model/architectures/decoder.h"
#include "model/architectures/registry.h"

namespace lbrx {
namespace {

constexpr std::string_view kClasses[] = {"Olmo2ForCausalLM"};

constexpr TensorRule kTensors[] = {
    LBRX_DECODER_ENDS,
    LBRX_ATTENTION,
    LBRX_GATED_MLP,
    {.pattern = "model.layers.{L}.post_attention_layernorm",
     .role = Role::kAttentionPostNorm,
     .kind = ModuleKind::kOther},
    {.pattern = "model.layers.{L}.post_feedforward_layernorm",
     .role = Role::kFeedForwardPostNorm,
     .kind = ModuleKind::kOther},
    LBRX_QUERY_KEY_NORMS,
};

}  // namespace

const Architecture kOlmo2 = {
    .name = "olmo2",
    .summary = "OLMo 2 (norms after, on q and k)",
    .classes = kClasses,
    .tensors = kTensors,
    .tied_by_default = false,
    .mlx_class = {.rope = MlxClass::Rope::kTypes,
                  .head_dim = true,
                  .query_bias = "attention_bias",
                  .attention_bias = "attention_bias",
                  .feed_forward_bias = "mlp_bias"},
};

}  // namespace lbrx
